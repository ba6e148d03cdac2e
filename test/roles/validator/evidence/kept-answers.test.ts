import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
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

async function open(limit = 4, clock = new ManualClock()) {
  const settings = defaultSettings({ 'evidence.kept-answers': limit, 'evidence.mode': 'enforce' })
  const view = viewOf(servingMiners(2), [MODEL])
  const events: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void events.push(JSON.parse(line).event) })
  const parts = { clock, view, settings, stateDir, log }
  const context = createRigContext(parts)
  const evidence = await openEvidence(context as unknown as Parameters<typeof openEvidence>[0], {
    levelsFor: levelsFrom(settings),
    events: { evidence: createTopic() },
  })
  const engine = createRigEngine()
  let count = 0
  const judge = async (noise: number, tokens = 60) => {
    const request = { ...completionRequest(tokens), model: MODEL }
    const compared = greedyAnswer(`answer ${count}`, noise, tokens)
    return { compared, judged: await strictlyJudged(compared, request) }
  }
  const review = ({ compared, judged }: Awaited<ReturnType<typeof judge>>) => {
    const observation = evidence.weigh(engine, MINER, compared, judged)
    const verdict = { kind: 'verified' } as const
    return evidence.review({ hotkey: MINER, model: MODEL, verdict, observation, at: count++ })
  }
  const give = async (noise: number) => review(await judge(noise))
  return { evidence, give, judge, review, events }
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

it('removes answers to models that a miner is no longer asked for, and keeps those before an alarm', async () => {
  const clock = new ManualClock(Date.now())
  const { evidence, give } = await open(4, clock)
  await give(0)
  await evidence.save()
  const answers = join(stateDir, 'answers')
  const [name = ''] = await readdir(answers)
  const alarm = name.replace('.jsonl', '.alarm.jsonl')
  await copyFile(join(answers, name), join(answers, alarm))
  const old = clock.now() / 1000 - 31 * 86_400
  for (const file of [name, alarm]) await utimes(join(answers, file), old, old)
  await writeFile(join(answers, `${MINER}-recent.jsonl`), '')
  evidence.keepOnly(new Set([MINER]))
  await evidence.save()
  expect((await readdir(answers)).sort()).toEqual([alarm, `${MINER}-recent.jsonl`].sort())
})

it('drops answers while too many wait for the disk, and says so once', async () => {
  const { evidence, judge, review, events } = await open(5000)
  const answer = await judge(0, 4)
  for (let count = 0; count < 1026; count++) review(answer)
  await evidence.save()
  const [name = ''] = await readdir(join(stateDir, 'answers'))
  const kept = (await readFile(join(stateDir, 'answers', name), 'utf8')).trim().split('\n')
  expect(kept).toHaveLength(1024)
  expect(events).toEqual(['evidence-answer-lost'])
}, 60_000)
