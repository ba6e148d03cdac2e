import { randomBytes } from 'node:crypto'
import { signRequest } from '../../src/epistula/index.js'
import { secretSignatures } from '../../src/epistula/secret-signatures.js'
import { addressOf, initSr25519, pairFromSeed, sign, verify } from '../../src/kernel/sr25519.js'
import type { Signer } from '../../src/wallet/index.js'
import { type Bench, median, type Row } from '../row.js'

const ROUNDS = 7
const MINERS = 256

/** CPU time of this process, which other processes hardly affect. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function medianCpuMs(work: (round: number) => void): number {
  return median(Array.from({ length: ROUNDS }, (_, round) => cpuMs(() => work(round))))
}

/** A new signer, which has no cached signatures. */
function createSigner(): Signer {
  const pair = pairFromSeed(randomBytes(32))
  return {
    address: addressOf(pair.publicKey),
    publicKey: pair.publicKey,
    sign: (message) => sign(pair, message),
  }
}

export const bench: Bench = {
  name: 'signing',
  summary: 'signing the requests of a 256-miner round, and single signatures',
  async run(): Promise<Row[]> {
    await initSr25519()
    const receivers = Array.from({ length: MINERS }, () => addressOf(pairFromSeed(randomBytes(32)).publicKey))
    const body = randomBytes(2048)
    const nowMs = 1_734_000_001_000
    const signRound = (signer: Signer) => {
      for (const signedFor of receivers) signRequest({ signer, signedFor, body, nowMs })
    }
    const pair = pairFromSeed(randomBytes(32))
    const message = randomBytes(150)
    const signature = sign(pair, message)
    const bare = medianCpuMs(() => {
      for (let n = 0; n < 4 * MINERS; n++) sign(pair, message)
    })
    const cold = medianCpuMs(() => signRound(createSigner()))
    const prepared = Array.from({ length: ROUNDS }, () => {
      const signer = createSigner()
      for (const receiver of receivers) secretSignatures(signer, receiver, nowMs)
      return signer
    })
    const warm = medianCpuMs((round) => signRound(prepared[round] ?? createSigner()))
    const verified = medianCpuMs(() => {
      for (let n = 0; n < 500; n++) verify(message, signature, pair.publicKey)
    })
    return [
      { name: 'one signature', value: (bare * 1000) / (4 * MINERS), unit: 'CPU µs' },
      { name: 'one signature verification', value: (verified * 1000) / 500, unit: 'CPU µs' },
      {
        name: 'round of 256 miners, nothing signed in advance',
        value: cold,
        unit: 'CPU ms',
        ratio: { to: 'four bare signatures per miner', value: cold / bare },
        goal: { must: '≤ 101 ms', reached: cold <= 101 ? 'must' : 'missed' },
      },
      {
        name: 'round of 256 miners, secret signatures made in advance',
        value: warm,
        unit: 'CPU ms',
        ratio: { to: 'nothing signed in advance', value: warm / cold },
        goal: {
          must: '≤ 101 ms',
          firstClass: '≤ 25 ms',
          reached: warm <= 25 ? 'first class' : warm <= 101 ? 'must' : 'missed',
        },
      },
    ]
  },
}
