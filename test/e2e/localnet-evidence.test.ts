import { execFile, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { addressOf, initSr25519, pairFromSeed, systemClock } from '../../src/kernel/index.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../src/localnet/engine/index.js'
import { deriveSecret } from '../../src/localnet/network/cast.js'
import { type RenamedEngine, renameModel } from '../support/renamed-engine.js'
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.js'

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const SEED = 'evidence'
const MODEL = 'targon-dev/small-a'
/** Without the cheats that one answer shows, so that the others are asked more often. */
const MINERS = [...['fast', 'medium', 'slow', 'both'].map((name) => `honest-${name}`), 'cheat-int4'].flatMap(
  (name) => ['--miners', name],
)
const ACCUSED = /cheat-int4 {2}evidence: barred\. .*differ from the model/

const report = z.object({
  miners: z.array(
    z.object({
      behaviour: z.string(),
      hotkey: z.string(),
      verdicts: z.object({ verified: z.number(), failed: z.record(z.string(), z.number()) }),
      evidence: z.string(),
      weightU16: z.number(),
    }),
  ),
})

interface Run {
  readonly miners: z.output<typeof report>['miners']
  readonly lines: readonly string[]
  /** Of the bundle, exported while the validator ran. */
  readonly bundle: string
}

let run: Run

beforeAll(async () => {
  run = await runNetwork()
}, 880_000)
afterAll(removeTemporaryFolders)

/** Runs a localnet until the quantised miner was accused and weights were set after that. */
async function runNetwork(): Promise<Run> {
  const folder = temporaryFolder('localnet-evidence')
  const lines: string[] = []
  const network = spawn(process.execPath, [
    ...[bin, 'localnet', '--epochs', '100', '--json', '--seed', SEED, '--dir', folder, ...MINERS],
  ])
  try {
    let stdout = ''
    network.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8')
    })
    const ended = new Promise<void>((resolve) => network.on('close', () => resolve()))
    let exported: Promise<string> | undefined
    for await (const line of createInterface({ input: network.stderr })) {
      lines.push(line)
      if (ACCUSED.test(line)) exported ??= exportBundle(folder)
      if (exported && hasWeights(line)) {
        await exported
        network.kill('SIGINT')
      }
    }
    await ended
    if (!exported)
      throw new Error(`The quantised miner was not accused:\n${lines.slice(-20).join('\n')}\n${stdout}`)
    return { miners: report.parse(JSON.parse(stdout)).miners, lines, bundle: await exported }
  } finally {
    network.kill('SIGKILL')
  }
}

/** The honest miners earn on chain, the quantised one does not. */
function hasWeights(line: string): boolean {
  if (!line.includes('weights on chain')) return false
  const honest = [...line.matchAll(/honest-\w+ (\d+)/g)].map(([, weight]) => Number(weight))
  return / cheat-int4 0\b/.test(line) && honest.length === 4 && honest.every((weight) => weight > 0)
}

async function exportBundle(folder: string): Promise<string> {
  await initSr25519()
  const hotkey = addressOf(pairFromSeed(deriveSecret(SEED, 'cheat-int4')).publicKey)
  const path = join(folder, 'bundle.json')
  const { status, stderr } = await targon([
    ...['validator', 'evidence', 'export', hotkey, '--model', MODEL, '--output', path],
    ...[
      '--wallet.path',
      join(folder, 'wallets'),
      '--wallet.name',
      'localnet',
      '--wallet.hotkey',
      'validator',
    ],
    ...['--logging.logging_dir', join(folder, 'neurons')],
  ])
  expect(status, stderr).toBe(0)
  return path
}

interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function targon(argv: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...argv], { timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr })
    })
  })
}

it('gives a quantised miner weight 0 by evidence alone, and never accuses an honest one', () => {
  const { miners, lines } = run
  const quantised = miners.find(({ behaviour }) => behaviour === 'int4')
  expect(quantised).toMatchObject({ evidence: 'barred', weightU16: 0 })
  expect(Object.keys(quantised?.verdicts.failed ?? {}).filter((cause) => cause !== 'EVIDENCE')).toEqual([])
  expect(quantised?.verdicts.verified).toBeGreaterThan(2)
  for (const { behaviour, evidence, weightU16 } of miners) {
    if (behaviour !== 'honest') continue
    expect(evidence).toBe('clean')
    expect(weightU16).toBeGreaterThan(0)
  }
  // not in an earlier epoch either
  expect(lines.filter((line) => /honest-\w+ {2}evidence/.test(line))).toEqual([])
})

describe('the bundle exported meanwhile', () => {
  let engine: DevelopmentEngine
  let wrong: RenamedEngine
  beforeAll(async () => {
    engine = await startDevelopmentEngine(
      { port: 0, models: [MODEL, 'targon-dev/small-b'] },
      { clock: systemClock },
    )
    wrong = await renameModel(engine.url, 'targon-dev/small-b', MODEL)
  })
  afterAll(() => Promise.all([engine.close(), wrong.close()]))

  it('is replayed without a network', async () => {
    const { status, stdout, stderr } = await targon(['verify', run.bundle])
    expect(status, stderr).toBe(0)
    expect(stdout).toMatch(/\d+ answers, all as recorded\. Each alone: \d+ verified \(strict\)\./)
    expect(stdout).toContain('raised the alarm by')
    expect(stdout).toMatch(/Standing: barred/)
  })

  it('is confirmed by an engine of the model', async () => {
    const { status, stdout, stderr } = await targon([
      ...['verify', run.bundle, '--engine.endpoints', engine.url, '--engine.hub-url', engine.url],
    ])
    expect(status, stderr).toBe(0)
    expect(stdout).toContain(`The engine at ${engine.url} confirms the reference of the bundle`)
    expect(stdout).toMatch(/barred .* by the reference of the bundle, barred .* by this engine/)
    expect(stdout).toMatch(/Each answer alone by this engine: \d+ verified \(strict\)/)
  })

  it('is told from the answers of another model under the same name', async () => {
    const { status, stdout, stderr } = await targon([
      ...['verify', run.bundle, '--engine.endpoints', `${MODEL}=${wrong.url}`, '--engine.hub-url', wrong.url],
    ])
    expect(status, stderr).toBe(1)
    expect(stdout).toContain(`The engine at ${wrong.url} does not confirm the reference of the bundle`)
    expect(stdout).toContain('This engine and the validator’s run different models or weights.')
  })

  it('is refused after a change of one byte', async () => {
    const text = await readFile(run.bundle, 'utf8')
    const path = `${run.bundle}.changed`
    await writeFile(path, text.replace('"at":1', '"at":2'))
    const { status, stderr } = await targon(['verify', path])
    expect(status).toBe(5)
    expect(stderr).toContain('BUNDLE_SIGNATURE')
  })
})
