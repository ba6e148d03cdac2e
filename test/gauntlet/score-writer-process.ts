import { writeFile } from 'node:fs/promises'
import { openScoreFile, ScoreBook } from '../../src/scoring/index.js'
import { encodeScores } from '../../src/scoring/score-file.js'

/** Saves the book repeatedly until it is killed, and prints each block once its save is acknowledged. `in-place` writes as 4.4.1 did. */
const file = openScoreFile(process.argv[2] ?? '')
const loaded = await file.load()
const book = loaded.kind === 'book' ? ScoreBook.from(loaded.data) : new ScoreBook()
for (let miner = 0; miner < 64; miner++) book.record(`5Miner${miner}`, 'org/m', miner, book.block)
process.stdout.write('ready\n')
for (let block = book.block + 1; ; block++) {
  book.record('5Miner0', 'org/m', block, block)
  if (process.argv[3] === 'in-place') await writeFile(file.path, encodeScores(book.toData()))
  else await file.save(book.toData())
  process.stdout.write(`${block}\n`)
}
