import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { resolveSettings } from '../../src/config/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { openValidatorTools, type ValidatorTools } from '../../src/roles/index.js'
import { hotkeyOf } from '../support/hotkeys.js'

const fixture = fileURLToPath(new URL('../fixtures/prompts/questions.parquet', import.meta.url))

let chain: Awaited<ReturnType<typeof startDevelopmentChain>>
let stateDir: string
let tools: ValidatorTools | undefined

beforeEach(async () => {
  chain = await startDevelopmentChain({ sealing: 'manual' })
  stateDir = await mkdtemp(join(tmpdir(), 'tools-'))
})
afterEach(async () => {
  await tools?.close()
  await chain.close()
  await rm(stateDir, { recursive: true, force: true })
})

async function open(more: Record<string, string>, report: (task: string) => void = () => undefined) {
  const flags = {
    'wallet.name': 'w',
    'wallet.hotkey': 'h',
    'subtensor.network': 'local',
    'subtensor.chain_endpoint': [chain.url],
    'engine.mode': 'endpoints',
    'i-am-alone': true,
    ...more,
  }
  const { values } = resolveSettings('validator', { flags, env: {} })
  tools = await openValidatorTools(values, await hotkeyOf(1), true, '', {
    clock: systemClock,
    log: pino({ enabled: false }),
    signal: new AbortController().signal,
    stateDir,
    progress: { report, end: () => undefined },
  })
  return tools
}

it('uses the named data set, also in a seeded run, and shows its progress', async () => {
  const tasks: string[] = []
  const { questions } = await open({ 'dataset.url': fixture, seed: 's' }, (task) => tasks.push(task))
  const next = () => questions?.nextQuestion(new AbortController().signal)
  await expect.poll(next).toMatch(/^Question number/)
  expect(tasks).toContain('data set')
})

it('refuses half of a login to the registry', async () => {
  await expect(open({ 'engine.registry-user': 'ops' })).rejects.toMatchObject({
    code: 'REGISTRY_LOGIN',
    fault: 'usage',
    next: expect.stringContaining('TARGON_ENGINE_REGISTRY_PASSWORD'),
  })
})

it.each<[string, Record<string, string>]>([
  ['switched off', { 'dataset.url': 'off' }],
  ['a seeded run', { seed: 's' }],
])('uses the bundled questions: %s', async (_, flags) => {
  expect((await open(flags)).questions).toBeUndefined()
})
