import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeBundle, keepAnswer } from '../../src/bundles/index.js'
import Verify from '../../src/commands/verify.js'
import { EvidenceBook, noiseLevels, observe } from '../../src/evidence/index.js'
import { greedyAnswer, strictlyJudged } from '../roles/validator/evidence/evidence-parts.js'
import { runCommand } from '../support/cli.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const [MINER, MODEL] = ['5Miner', 'org/model']
const RULES = { threshold: 1e10, cleanAnswers: 10 }
const folder = temporaryFolder('verify')
let text: string
let signer: string

/** Writes a bundle file. @returns its path */
function fileOf(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

beforeAll(async () => {
  const levels = noiseLevels({ logitScale: 0.02, residual: 0.01, unexplained: 0 })
  const book = new EvidenceBook(RULES)
  const compared = greedyAnswer('answer', 0, 60)
  const before = book.pairData(MINER, MODEL)
  const observation = observe(compared, levels, book.dialectOf(MINER, MODEL))
  book.record(MINER, MODEL, observation, 0, 'own')
  const request = {
    model: MODEL,
    endpoint: 'completion',
    prompt: 'Hi',
    temperature: 0,
    maxTokens: 60,
  } as const
  const judged = await strictlyJudged(compared, request)
  const standing = book.standing(MINER, MODEL)
  const weighed = { compared, levels, rules: RULES, before, observation, standing }
  const answers = [await keepAnswer({ at: 0, source: 'own', judged, ...weighed })]
  const key = await hotkeyOf(3)
  signer = key.address
  const exported = { code: '5.0.0', exportedAt: '2026-01-01T00:00:00.000Z' }
  text = encodeBundle({ ...exported, miner: MINER, model: MODEL, answers }, key)
})

describe('targon verify', () => {
  it('replays a bundle without network and says who signed it', async () => {
    const { status, stdout } = await runCommand(Verify, [fileOf('good.json', text)])
    expect(stdout).toContain(`Signed by ${signer} with targon 5.0.0`)
    expect(stdout).toContain(`Miner ${MINER}, model ${MODEL}.`)
    expect(status).toBe(0)
  })

  it('prints the replay as one document with --json', async () => {
    const { stdout } = await runCommand(Verify, [fileOf('good.json', text), '--signer', signer, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ signer, miner: MINER, model: MODEL, level: 'clean' })
  })

  it.each([
    ['a changed byte', (good: string) => good.replace('org/model', 'org/modem'), 'BUNDLE_SIGNATURE', 5],
    ['half of it', (good: string) => good.slice(0, good.length / 2), 'BUNDLE_INVALID', 5],
  ])('refuses %s', async (name, damage, code, expected) => {
    const { status, stdout } = await runCommand(Verify, [fileOf(`${name}.json`, damage(text)), '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } })
    expect(status).toBe(expected)
  })

  it('refuses the signature of another hotkey than the one that is asked for', async () => {
    const other = (await hotkeyOf(4)).address
    const { status, stdout } = await runCommand(Verify, [
      fileOf('good.json', text),
      '--signer',
      other,
      '--json',
    ])
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'BUNDLE_SIGNER' } })
    expect(status).toBe(5)
  })
})
