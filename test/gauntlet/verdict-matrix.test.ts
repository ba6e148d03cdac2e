import { afterAll, beforeAll, expect, it } from 'vitest'
import { allCells, type Cell, isTimed, judgeCell, printMatrix } from '../support/verdict-matrix.js'
import { startVerificationRig, type VerificationRig } from '../support/verification-rig.js'
import { startTally } from './tally.js'

const AT_ONCE = 12
const TIMED_AT_ONCE = 4

let rig: VerificationRig

beforeAll(async () => {
  rig = await startVerificationRig()
})
afterAll(() => rig.close())

it('gives every kind of miner the verdict in the checked-in table, for every temperature, endpoint and rule set', async ({
  task,
}) => {
  const cells = allCells()
  const kind = 'answers of honest and cheating miners'
  const tally = startTally(task, { fault: 'F28', kind, full: cells.length })
  const verdicts = new Map<Cell, string>(cells.map((cell) => [cell, 'not judged']))
  const judgeAll = async (queue: Iterator<Cell>) => {
    for (let next = queue.next(); !next.done; next = queue.next())
      verdicts.set(next.value, await judgeCell(rig, next.value))
  }
  // cells whose verdict depends on timing run separately, so that the others do not disturb them
  const others = cells.filter((cell) => !isTimed(cell)).values()
  await Promise.all(Array.from({ length: AT_ONCE }, () => judgeAll(others)))
  const timed = cells.filter(isTimed).values()
  await Promise.all(Array.from({ length: TIMED_AT_ONCE }, () => judgeAll(timed)))
  const table = printMatrix(verdicts)
  console.log(table)
  await expect(table).toMatchFileSnapshot('../fixtures/verification/verdict-matrix.txt')
  tally.count = cells.length
})
