import { afterAll, beforeAll, expect, it } from 'vitest'
import { allCells, type Cell, judgeCell, printMatrix } from '../support/verdict-matrix.js'
import { startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

let rig: VerificationRig

beforeAll(async () => {
  rig = await startVerificationRig()
})
afterAll(() => rig.close())

it('gives every kind of miner the verdict of the checked-in table, at every temperature, endpoint and rule set', async () => {
  const verdicts = new Map<Cell, string>()
  for (const cell of allCells()) verdicts.set(cell, await judgeCell(rig, cell))
  const table = printMatrix(verdicts)
  console.log(table)
  await expect(table).toMatchFileSnapshot('../fixtures/verification/verdict-matrix.txt')
})
