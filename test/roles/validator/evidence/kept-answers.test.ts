import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import ValidatorEvidenceExport from '../../../../src/commands/validator/evidence/export.js'
import Verify from '../../../../src/commands/verify.js'
import { createTopic } from '../../../../src/roles/role.js'
import { levelsFrom, openEvidence } from '../../../../src/roles/validator/evidence/index.js'
import { writeDevelopmentWallet } from '../../../../src/wallet/index.js'
import { runCommand } from '../../../support/cli.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { completionRequest, servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigContext, createRigEngine, defaultSettings, MODEL } from '../validator-rig.js'
import { greedyAnswer, strictlyJudged } from './evidence-parts.js'

const MINER = '5Miner1'
let folder: string
let stateDir: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-answers-'))
  stateDir = join(folder, 'w', 'h', 'netuid4', 'validator')
  await mkdir(stateDir, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function open(limit = 4) {
  const settings = defaultSettings({ 'evidence.kept-answers': limit, 'evidence.mode': 'enforce' })
  const view = viewOf(servingMiners(2), [MODEL])
  const parts = { clock: new ManualClock(), view, settings, stateDir, log: pino({ enabled: false }) }
  const context = createRigContext(parts)
  const evidence = await openEvidence(context as unknown as Parameters<typeof openEvidence>[0], {
    levelsFor: levelsFrom(settings),
    events: { evidence: createTopic() },
  })
  const engine = createRigEngine()
  let count = 0
  const give = async (noise: number) => {
    const request = { ...completionRequest(60), model: MODEL }
    const compared = greedyAnswer(`answer ${count}`, noise, 60)
    const judged = await strictlyJudged(compared, request)
    const observation = evidence.weigh(engine, MINER, compared, judged)
    return evidence.review({
      hotkey: MINER,
      model: MODEL,
      verdict: { kind: 'verified' },
      observation,
      at: count++,
    })
  }
  return { evidence, give }
}

async function writeWallet(): Promise<string[]> {
  const wallets = join(folder, 'wallets')
  await writeDevelopmentWallet(wallets, 'w', [{ name: 'h', seed: new Uint8Array(32).fill(9) }])
  return [
    '--wallet.path',
    wallets,
    '--wallet.name',
    'w',
    '--wallet.hotkey',
    'h',
    '--logging.logging_dir',
    folder,
  ]
}

it('is exported, verified and refused by the command line', async () => {
  const { evidence, give } = await open()
  for (let count = 0; count < 100 && (await give(1.5)).kind === 'verified'; count++);
  const sentence = evidence.standings(MINER)[0]?.standing.sentence
  // Later answers do not replace those that led to the alarm.
  for (let count = 0; count < 20; count++) await give(0)
  await evidence.save()
  const path = join(folder, 'bundle.json')
  const exported = await runCommand(ValidatorEvidenceExport, [
    MINER,
    '--output',
    path,
    ...(await writeWallet()),
  ])
  expect(exported.status, exported.stderr).toBe(0)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const verified = await runCommand(Verify, [path])
  expect(verified.status, verified.stderr).toBe(0)
  expect(verified.result).toMatchObject({
    signer: (await hotkeyOf(9)).address,
    miner: MINER,
    model: MODEL,
    gaps: 0,
    level: 'barred',
    sentence,
  })
  expect(verified.stdout).toContain(sentence ?? 'no sentence')
  const other = await runCommand(Verify, [path, '--signer', '5Other'])
  expect(other.status).toBe(5)
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('"at":0', '"at":1'))
  const changed = await runCommand(Verify, [path])
  expect(changed.status).toBe(5)
  expect(changed.stderr).toContain('BUNDLE_SIGNATURE')
  expect((await runCommand(Verify, [join(folder, 'none.json')])).status).toBe(2)
}, 120_000)

it('keeps a bounded number of answers, across restarts, and forgets miners that left', async () => {
  for (const _ of [1, 2, 3]) {
    const { evidence, give } = await open(4)
    for (let count = 0; count < 3; count++) await give(0)
    await evidence.save()
  }
  const [name = ''] = await readdir(join(stateDir, 'answers'))
  const kept = (await readFile(join(stateDir, 'answers', name), 'utf8')).trim().split('\n')
  expect(kept).toHaveLength(5)
  expect((await stat(join(stateDir, 'answers', name))).mode & 0o777).toBe(0o600)
  const { evidence } = await open(4)
  evidence.keepOnly(new Set())
  await evidence.save()
  expect(await readdir(join(stateDir, 'answers'))).toEqual([])
})

it('keeps no answer when the setting says so', async () => {
  const { evidence, give } = await open(0)
  await give(0)
  await evidence.save()
  expect(await readdir(stateDir)).not.toContain('answers')
})
