import { describe, expect, it } from 'vitest'
import { parseEngineEndpoints } from '../../src/engine/index.js'

describe('parseEngineEndpoints', () => {
  it('gathers the replicas of a model and drops a trailing /v1', () => {
    expect(
      parseEngineEndpoints([
        'org/a=http://h:8000/v1,http://h:8001/',
        'org/b=https://x/p/v1/',
        'org/a=http://h:8001',
      ]),
    ).toEqual([
      { model: 'org/a', urls: ['http://h:8000', 'http://h:8001'] },
      { model: 'org/b', urls: ['https://x/p'] },
    ])
  })

  it.each(['http://h:8000', 'org/a=', 'org/a=ftp://h', 'org/a=nonsense', '=http://h', 'a b=http://h'])(
    'refuses %s as a usage error that says what to write',
    (item) => {
      expect(() => parseEngineEndpoints([item])).toThrow(
        expect.objectContaining({ code: 'ENGINE_ENDPOINTS', fault: 'usage' }),
      )
    },
  )

  it('refuses a key in an address, and does not repeat it', () => {
    const refused = { code: 'ENGINE_ENDPOINTS', message: expect.not.stringContaining('geheim') }
    expect(() => parseEngineEndpoints(['org/a=https://:geheim@h:8000'])).toThrow(
      expect.objectContaining(refused),
    )
  })
})
