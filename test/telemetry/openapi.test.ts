import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { renderOpenApi } from '../../scripts/docs/openapi.js'
import { minerApi } from '../../src/roles/miner/index.js'
import { validatorApi } from '../../src/roles/validator/reports/index.js'
import { describeApi } from '../../src/telemetry/index.js'

/** A copy of its own: the check rewrites what it is given. */
const described = (...apis: Parameters<typeof describeApi>[0]) =>
  JSON.parse(JSON.stringify(describeApi(apis)))

it.each([
  ['a validator', described(validatorApi)],
  ['a miner', described(minerApi)],
  ['both roles', described(validatorApi, minerApi)],
])('describes the status server of %s as OpenAPI 3.1 requires', async (_, description) => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(description)
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(validator.version).toBe('3.1')
})

it('describes a path that both roles serve as one of their documents', () => {
  const { paths } = described(validatorApi, minerApi)
  expect(paths['/status'].get.responses[200].content['application/json'].schema).toEqual({
    oneOf: [{ $ref: '#/components/schemas/ValidatorStatus' }, { $ref: '#/components/schemas/MinerStatus' }],
  })
  expect(paths['/report'].get.parameters.map(({ name }: { name: string }) => name)).toEqual([
    'miner',
    'hours',
  ])
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/livez', '/readyz', '/metrics', '/status', '/rounds', '/series', '/events']),
  )
})

it('describes each document by its schema', () => {
  const api = {
    role: 'demo',
    port: 1,
    documents: { status: { summary: 'It.', schema: z.object({ n: z.number() }) } },
  }
  expect(described(api).components.schemas.DemoStatus).toMatchObject({
    type: 'object',
    properties: { n: { type: 'number' } },
    required: ['n'],
  })
})

it('refuses no field that a later release adds', () => {
  const text = JSON.stringify(described(validatorApi, minerApi))
  expect(text).not.toContain('"additionalProperties":false')
})

it('is what docs/openapi.json says; npm run docs writes it', () => {
  const page = new URL('../../docs/openapi.json', import.meta.url)
  expect(readFileSync(page, 'utf8')).toBe(renderOpenApi())
})
