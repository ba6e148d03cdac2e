import { expect, test } from 'vitest'
import { createSoakChain } from '../../../bench/soak/soak-chain.js'
import { MODELS, modelNamed, modelsIn } from '../../../bench/soak/soak-models.js'

test('a miner is replaced by another hotkey at the same uid and address', async () => {
  const { chain, replaceMiner } = await createSoakChain({ signer: '5Validator', miners: 2, port: 81 }, 100)
  const before = (await chain.metagraph(4)).neurons
  await replaceMiner(2)
  const after = (await chain.metagraph(4)).neurons
  expect(after.map(({ uid, axon }) => [uid, axon?.port])).toEqual(
    before.map(({ uid, axon }) => [uid, axon?.port]),
  )
  expect(after.slice(0, 2).map(({ hotkey }) => hotkey)).toEqual(
    before.slice(0, 2).map(({ hotkey }) => hotkey),
  )
  expect(after[2]?.hotkey).not.toBe(before[2]?.hotkey)
})

test('a pending wait for a block ends with the next one', async () => {
  const { chain, grow } = await createSoakChain({ signer: '5Validator', miners: 1, port: 81 }, 100)
  const stopping = new AbortController()
  const heads = chain.blocks(stopping.signal)[Symbol.asyncIterator]()
  const next = heads.next()
  await new Promise((resolve) => setImmediate(resolve))
  grow(130)
  expect((await next).value).toMatchObject({ number: 130 })
  expect((await chain.metagraph(4)).block).toBe(130)
})

test('one of the wanted models changes every five epochs, and all of them are listed', () => {
  expect(modelsIn(0)).toEqual(modelsIn(4))
  expect(modelsIn(5)).toEqual([modelNamed(1), modelNamed(2)])
  const listed = Array.from({ length: MODELS }, (_, number) => modelNamed(number))
  for (let epoch = 0; epoch < 1000; epoch += 5)
    expect(listed).toEqual(expect.arrayContaining(modelsIn(epoch)))
})
