import { randomBytes } from 'node:crypto'
import { initSr25519, pairFromSeed, sign, verify } from '../../src/kernel/sr25519.js'

/** Only checks signatures, as many as requested: the minimum that any miner has to do. */
await initSr25519()
const pair = pairFromSeed(randomBytes(32))
const message = randomBytes(150)
const signature = sign(pair, message)

process.on('message', (count: number) => {
  const before = process.cpuUsage()
  for (let n = 0; n < count; n++) verify(message, signature, pair.publicKey)
  const { user, system } = process.cpuUsage(before)
  process.send?.((user + system) / 1e6)
})
process.send?.({ ready: true })
