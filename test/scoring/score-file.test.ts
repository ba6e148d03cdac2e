import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openScoreFile, readCache4, ScoreBook } from '../../src/scoring/index.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-scores-'))
  path = join(folder, 'cache.json')
})
afterEach(() => rm(folder, { recursive: true }))

function book(score: number): ScoreBook {
  const made = new ScoreBook()
  made.record('5Hot', 'org/__proto__', score, score)
  made.record('5Hot', 'org/__proto__', null, score)
  made.recordOrganics('5Hot', [-500], score)
  return made
}

describe('openScoreFile', () => {
  test('saves and loads a book, including prototype-like names, with mode 0600', async () => {
    await openScoreFile(path).save(book(12).toData())
    const loaded = await openScoreFile(path).load()
    expect(loaded).toMatchObject({ kind: 'book', generation: 'current' })
    if (loaded.kind !== 'book') return
    expect(ScoreBook.from(loaded.data).toData()).toEqual(book(12).toData())
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('loads the previous generation when a byte was flipped, and keeps the damaged file', async () => {
    const file = openScoreFile(path)
    await file.save(book(1).toData())
    await file.save(book(2).toData())
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"block":2', '"block":3'))
    const loaded = await file.load()
    expect(loaded).toMatchObject({ kind: 'book', generation: 'previous', data: { block: 1 } })
    await file.save(book(4).toData())
    expect((await readdir(folder)).sort()).toEqual([
      'cache.json',
      'cache.json.damaged',
      'cache.json.previous',
    ])
  })

  test.each([
    'nonsense',
    'null',
    '['.repeat(100_000),
    '{"block":1e999,"miners":[]}',
    '{"block":1,"miners":[{}]}',
  ])('rejects content that is not a book despite a valid checksum (%#)', async (body) => {
    const sha256 = createHash('sha256').update(body).digest('hex')
    await writeFile(path, `{"format":"targon-scores","version":1,"sha256":"${sha256}","book":${body}}\n`)
    expect(await openScoreFile(path).load()).toMatchObject({ kind: 'empty', isDamaged: true })
    expect(await readdir(folder)).toEqual(['cache.json.damaged'])
  })

  test('reports a file of a later version as damaged, but not a missing one', async () => {
    expect(await openScoreFile(path).load()).toMatchObject({ kind: 'empty', isDamaged: false })
    await openScoreFile(path).save(book(1).toData())
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"version":1', '"version":2'))
    expect(await openScoreFile(path).load()).toMatchObject({ kind: 'empty', isDamaged: true })
  })

  test('never loads a truncated file', async () => {
    const file = openScoreFile(path)
    await file.save(book(1).toData())
    const text = await readFile(path, 'utf8')
    for (let length = 0; length < text.length; length += 7) {
      await writeFile(path, text.slice(0, length))
      expect((await file.load()).kind).toBe('empty')
    }
  })

  test('loses no saved book in a crash between the two renames', async () => {
    const file = openScoreFile(path)
    await file.save(book(1).toData())
    await writeFile(`${path}.previous`, await readFile(path))
    await rm(path)
    await writeFile(`${path}.partial`, 'half')
    expect(await file.load()).toMatchObject({ kind: 'book', generation: 'previous', data: { block: 1 } })
    expect(await readdir(folder)).toEqual(['cache.json.previous'])
  })

  test('rejects a pickle without parsing it', async () => {
    await writeFile(path, Buffer.from([0x80, 0x04, 0x95]))
    await expect(openScoreFile(path).load()).rejects.toMatchObject({
      code: 'SCORE_FILE_PICKLE',
      fault: 'usage',
    })
  })

  test.each(['null', 'NaN, null', 'null, Infinity'])(
    'returns a cache.json of 4.x with %s for import',
    async (end) => {
      const text = `{"version": 404010, "block_saved": 1000, "miner_tps": {"3": {"org/m": [1.5, ${end}]}}}`
      await writeFile(path, text)
      const loaded = await openScoreFile(path).load()
      expect(loaded).toEqual({ kind: 'cache4', text })
      const read = readCache4(text, 1100)
      expect(read.kind === 'loaded' && read.results.get(3)?.get('org/m')).toEqual([1.5, null])
      expect(await readFile(`${path}.targon-4`, 'utf8')).toBe(text)
    },
  )

  test('ends with the last of several simultaneous saves', async () => {
    const file = openScoreFile(path)
    await Promise.all([1, 2, 3, 4].map((score) => file.save(book(score).toData())))
    expect(await file.load()).toMatchObject({ data: { block: 4 } })
  })

  test('fails each save while the folder is missing', async () => {
    const file = openScoreFile(join(folder, 'sub', 'cache.json'))
    await expect(file.save(book(1).toData())).rejects.toThrow(/ENOENT/)
    await expect(file.save(book(1).toData())).rejects.toThrow(/ENOENT/)
  })
})

describe('a score file across restarts', () => {
  const block = fc.nat({ max: 10_000_000 })
  const text = fc.string({ unit: 'binary', maxLength: 12 })
  /** JSON has no negative zero. */
  const result = fc.option(fc.double().map((value) => value + 0))
  /** Everything that changes a book, with the values its callers may pass. */
  const change = fc.oneof(
    fc.tuple(text, text, result, block).map((args) => (made: ScoreBook) => made.record(...args)),
    fc
      .tuple(text, fc.array(result, { maxLength: 4 }), block)
      .map((args) => (made: ScoreBook) => made.recordOrganics(...args)),
    fc
      .tuple(text, fc.array(fc.tuple(text, fc.array(result, { maxLength: 20 })), { maxLength: 3 }))
      .map((args) => (made: ScoreBook) => made.restoreMiner(...args)),
    block.map((since) => (made: ScoreBook) => made.expireOrganics(since)),
    block.map((now) => (made: ScoreBook) => void made.trimStale(now, 360)),
  )

  test('reads back every book it saves, and its previous one when the file was damaged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 8 }),
        fc.array(change, { maxLength: 4 }),
        async (a, b) => {
          const first = new ScoreBook()
          for (const apply of a) apply(first)
          await openScoreFile(path).save(first.toData())
          const loaded = await openScoreFile(path).load()
          expect(loaded).toMatchObject({ kind: 'book', generation: 'current' })
          const second = loaded.kind === 'book' ? ScoreBook.from(loaded.data) : new ScoreBook()
          expect(second.toData()).toEqual(first.toData())
          for (const apply of b) apply(second)
          await openScoreFile(path).save(second.toData())
          expect(await openScoreFile(path).load()).toMatchObject({ kind: 'book', data: second.toData() })
          await writeFile(path, 'cut short')
          const restored = await openScoreFile(path).load()
          expect(restored).toMatchObject({ kind: 'book', generation: 'previous', data: first.toData() })
        },
      ),
    )
  })

  test('reads back what it imported from a cache.json of 4.x that was saved at half a block', async () => {
    const cache = readCache4('{"version":404010,"block_saved":999.5,"miner_tps":{"3":{"m":[1]}}}', 1000)
    const made = new ScoreBook()
    if (cache.kind === 'loaded') made.record('5Hot', 'm', 1, cache.block)
    await openScoreFile(path).save(made.toData())
    expect(await openScoreFile(path).load()).toMatchObject({ kind: 'book', data: { block: 999 } })
  })
})
