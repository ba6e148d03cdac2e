import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLedger } from '../../src/chain/weights-ledger.js'

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
