import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LedgerEntry, openLedger } from '../../src/chain/weights-ledger.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('openLedger', () => {
  const owner = { hotkey: 'h', netuid: 4, genesisHash: '0x' }
  const entry = { epoch: 3, status: 'confirmed', block: 9 } as const
  const path = () => join(folder, 'ledger.json')

  it('reads back what was written, newest first', async () => {
    const ledger = await openLedger(path(), owner)
    expect(ledger.hasHistory).toBe(false)
    await Promise.all([ledger.write(entry), ledger.write({ ...entry, epoch: 4 })])
    const again = await openLedger(path(), owner)
    expect(again.hasHistory).toBe(true)
    expect(again.entries.map(({ epoch }) => epoch)).toEqual([4, 3])
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, -10)],
    ['changed in one digit', (text: string) => text.replace('"block":9', '"block":8')],
    ['empty', () => ''],
  ])('quarantines a ledger that is %s', async (_, damage) => {
    await (await openLedger(path(), owner)).write(entry)
    await writeFile(path(), damage(await readFile(path(), 'utf8')))
    const quarantined: string[] = []
    const ledger = await openLedger(path(), owner, (file, reason) => quarantined.push(`${reason} ${file}`))
    expect(ledger.hasHistory).toBe(false)
    expect(quarantined).toEqual([`damaged ${path()}.damaged`])
  })

  const uint = fc.nat({ max: 0xffff_ffff })
  /** Every member a writer may set, in any order. */
  const anyEntry = fc
    .record(
      {
        epoch: fc.nat({ max: 1000 }),
        status: fc.constantFrom<LedgerEntry['status']>('submitted', 'confirmed', 'refused', 'skipped'),
        block: uint,
        reason: fc.string({ unit: 'binary' }),
        vectorHash: fc.string(),
        extrinsicHash: fc.string(),
        nonce: uint,
        path: fc.constantFrom<'direct' | 'commit'>('direct', 'commit'),
        revealBlock: uint,
        vector: fc.array(fc.tuple(uint, uint), { maxLength: 4 }),
      },
      { requiredKeys: ['epoch', 'status', 'block'] },
    )
    .chain((made) =>
      fc
        .shuffledSubarray(Object.entries(made), { minLength: Object.keys(made).length })
        .map((members) => Object.fromEntries(members) as LedgerEntry),
    )

  it('reads back every entry in any order of its members, after each of several restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEntry, { minLength: 1, maxLength: 5 }), async (entries) => {
        await rm(path(), { force: true })
        const byEpoch = new Map<number, LedgerEntry>()
        for (const one of entries) {
          const ledger = await openLedger(path(), owner)
          expect(ledger.hasHistory).toBe(byEpoch.size > 0)
          await ledger.write(one)
          byEpoch.set(one.epoch, one)
        }
        const again = await openLedger(path(), owner)
        expect(again.hasHistory).toBe(true)
        expect(again.entries).toEqual([...byEpoch.values()].sort((a, b) => b.epoch - a.epoch))
      }),
    )
  })

  /** As earlier releases wrote it: members in the order in which the entry was made. */
  const written = (entries: readonly object[]) => {
    const body = { version: 1, ...owner, entries }
    const checksum = createHash('sha256').update(JSON.stringify(body)).digest('hex')
    return `${JSON.stringify({ ...body, checksum })}\n`
  }

  it.each([
    ['the reason last', { epoch: 5, status: 'refused', block: 7, reason: 'SettingWeightsTooFast' }],
    [
      'the reason before the block',
      { epoch: 5, status: 'refused', reason: 'SettingWeightsTooFast', block: 7 },
    ],
  ])('reads the ledger of an earlier release with %s', async (_, old) => {
    await writeFile(path(), written([old, entry]))
    const ledger = await openLedger(path(), owner)
    expect(ledger.entries).toEqual([old, entry])
  })

  it('writes a file that an earlier release reads: members in the order of the schema', async () => {
    const ledger = await openLedger(path(), owner)
    await ledger.write({ epoch: 5, status: 'refused', block: 7, reason: 'SettingWeightsTooFast' })
    const ordered = { epoch: 5, status: 'refused', reason: 'SettingWeightsTooFast', block: 7 }
    expect(await readFile(path(), 'utf8')).toBe(written([ordered]))
  })

  it('ignores the ledger of another hotkey', async () => {
    await (await openLedger(path(), owner)).write(entry)
    expect((await openLedger(path(), { ...owner, hotkey: 'other' })).hasHistory).toBe(false)
  })

  it('removes the staged file of a killed writer', async () => {
    await writeFile(join(folder, 'ledger.json.partial'), 'x')
    await openLedger(path(), owner)
    expect(await readdir(folder)).toEqual([])
  })
})
