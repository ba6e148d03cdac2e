import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { createRig } from '../roles/validator/validator-rig.js'
import { startFakeVllm } from '../support/fake-vllm.js'
import { startMinerRig } from '../support/miner-rig.js'

/** What a running role answers that its own description does not allow; empty when all is as described. */
async function differences(url: string, role: string, paths: readonly string[]): Promise<unknown[]> {
  const { components } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    components: { schemas: Record<string, object> }
  }
  const capital = (word: string) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
  const found: unknown[] = []
  for (const path of paths) {
    const name = `${capital(role)}${capital(path.split('?')[0] ?? '')}`
    const fits = new Ajv2020({ strict: false }).compile(components.schemas[name] ?? false)
    if (!fits(await (await fetch(`${url}/${path}`)).json())) found.push({ name, errors: fits.errors })
  }
  return found
}

it('a miner answers what its description says', async () => {
  const vllm = await startFakeVllm({ models: ['org/model'] })
  const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url] } })
  try {
    await (await rig.post('/models', JSON.stringify(['org/model', 'org/other']))).body.dump()
    expect(await differences(rig.statusUrl, 'miner', ['status', 'series'])).toEqual([])
  } finally {
    await rig.close()
    await vllm.close()
  }
})

it('a validator answers what its description says', async () => {
  const rig = await createRig([])
  try {
    const { url } = await rig.start()
    const paths = ['status', 'report', 'rounds', 'results?miner=1']
    expect(await differences(url, 'validator', paths)).toEqual([])
  } finally {
    await rig.dispose()
  }
})
