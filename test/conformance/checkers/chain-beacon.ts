import { z } from 'zod'
import { QUICKNET } from '../../../src/chain/beacon.js'
import { encryptForRound } from '../../../src/chain/timelock.js'
import { decryptTimelock } from '../../../src/localnet/chain/beacon/index.js'
import type { Checker } from '../checker.js'

const schema = z.object({
  public_key: z.string(),
  genesis_time: z.number(),
  period: z.number(),
  pulses: z.array(z.object({ round: z.number(), signature: z.string() })),
})

/** Real drand pulses: each decrypts what we encrypted for its round, and no other pulse does. */
export const checker: Checker = {
  vectors: 'drand-pulses',
  rules: {},
  cases: ({ json }) => {
    const parsed = schema.safeParse(json)
    return parsed.success
      ? parsed.data.pulses.map((pulse, index, all) => ({ ...pulse, other: all[(index + 1) % all.length] }))
      : undefined
  },
  check({ round, signature, other }, file) {
    const { public_key: publicKey, genesis_time: genesis, period } = schema.parse(file)
    const isOurs =
      Buffer.from(QUICKNET.publicKey).toString('hex') === publicKey &&
      QUICKNET.genesisSeconds === genesis &&
      QUICKNET.periodSeconds === period
    if (!isOurs) return { agrees: false, detail: 'the beacon’s constants differ' }
    const sealed = encryptForRound(Buffer.from('weights'), round, QUICKNET.publicKey)
    const agrees = opens(sealed, signature) && !opens(sealed, other.signature)
    return agrees ? { agrees } : { agrees, detail: `round ${round} does not open what was locked to it` }
  },
}

function opens(sealed: Uint8Array, signature: string): boolean {
  try {
    return Buffer.from(decryptTimelock(sealed, Buffer.from(signature, 'hex'))).toString() === 'weights'
  } catch {
    return false
  }
}
