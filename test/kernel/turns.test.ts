import { expect, it } from 'vitest'
import { Turns } from '../../src/kernel/index.js'

/** Names of the work that ran in each turn. */
async function turnsOf(names: readonly string[], perTurn: number): Promise<string[]> {
  const turns = new Turns(perTurn)
  const seen: string[] = []
  const all = names.map(async (name) => {
    await turns.next()
    await Promise.resolve()
    seen.push(name)
  })
  const byTurn: string[] = []
  for (let left = names.length; left > 0; left -= perTurn) {
    for (let step = 0; step < 5; step++) await Promise.resolve()
    byTurn.push(seen.splice(0).join(''))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(all)
  return byTurn
}

it('runs at most perTurn pieces of work in each turn of the event loop, in order', async () => {
  expect(await turnsOf(['a', 'b', 'c'], 1)).toEqual(['a', 'b', 'c'])
  expect(await turnsOf(['a', 'b', 'c', 'd', 'e'], 2)).toEqual(['ab', 'cd', 'e'])
})

it('starts again after it was idle', async () => {
  const turns = new Turns(1)
  await turns.next()
  await turns.next()
  await Promise.all([turns.next(), turns.next()])
})
