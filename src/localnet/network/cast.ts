import { createHash } from 'node:crypto'
import { TargonError } from '../../kernel/index.js'
import { BEHAVIOURS, type BehaviourName } from '../engine/index.js'

/** One miner of the localnet and the engine behind it. */
export interface CastMember {
  /** Also the name of its hotkey file. */
  readonly name: string
  /** Every behaviour other than `honest` is a cheat. */
  readonly behaviour: BehaviourName
  readonly models: readonly string[]
  readonly tokensPerSecond: number
}

/** Two models, so that the miner serving both earns for both. */
export const LOCALNET_MODELS = ['targon-dev/small-a', 'targon-dev/small-b'] as const

const [first, second] = LOCALNET_MODELS

/**
 * Who is on every board. The honest miners' earnings differ by a factor of at least 1.5 (`honest-both` is paid per model), so that weights
 * rank them by speed on any machine.
 */
export const CAST: readonly CastMember[] = [
  { name: 'honest-fast', behaviour: 'honest', models: [first], tokensPerSecond: 160 },
  { name: 'honest-medium', behaviour: 'honest', models: [first], tokensPerSecond: 100 },
  { name: 'honest-slow', behaviour: 'honest', models: [first], tokensPerSecond: 62 },
  { name: 'honest-both', behaviour: 'honest', models: [first, second], tokensPerSecond: 130 },
  { name: 'cheat-other-model', behaviour: 'other-model', models: [first], tokensPerSecond: 240 },
  { name: 'cheat-logprobs', behaviour: 'made-up-logprobs', models: [first], tokensPerSecond: 240 },
  { name: 'cheat-padding', behaviour: 'empty-padding', models: [first], tokensPerSecond: 300 },
  // slow, so that even on a busy machine its final burst is short compared with the wait before it
  { name: 'cheat-burst', behaviour: 'generate-first', models: [first], tokensPerSecond: 60 },
  // verified answer by answer; only evidence over several of them shows it
  { name: 'cheat-int4', behaviour: 'int4', models: [first], tokensPerSecond: 120 },
]

/** Who is on the board with `--hub`: only users' requests show this one. */
const CHEATS_WITH_HUB = ['two-faced']

/** The further cheats of a network. */
export function cheatsWith(cheats: readonly string[], hasHub: boolean): readonly string[] {
  return hasHub ? [...new Set([...CHEATS_WITH_HUB, ...cheats])] : cheats
}

/** Every miner is a process of about 100 MB. */
const MAX_CHEATS = 8

/**
 * The cast with a miner per further behaviour, in the order given. One that the cast has already is not added again.
 *
 * @param miners names of the members of `CAST` to keep; empty: all
 * @throws TargonError LOCALNET_CHEATS for a behaviour that does not exist or is honest, and for too many; LOCALNET_MINERS for a
 *   name that is not in `CAST`
 */
export function castWith(cheats: readonly string[], miners: readonly string[] = []): readonly CastMember[] {
  const known = new Set<string>(CAST.map(({ behaviour }) => behaviour))
  const added = [...new Set(cheats)].filter((cheat) => cheat === 'honest' || !known.has(cheat))
  if (added.length > MAX_CHEATS) {
    throw new TargonError(`--cheats adds ${added.length} miners; the most is ${MAX_CHEATS}.`, {
      code: 'LOCALNET_CHEATS',
      fault: 'usage',
      next: 'Name fewer behaviours, or run the localnet several times.',
    })
  }
  return [...chosenMembers(miners), ...added.map(cheatMember)]
}

function chosenMembers(miners: readonly string[]): readonly CastMember[] {
  const unknown = miners.find((miner) => !CAST.some(({ name }) => name === miner))
  if (unknown !== undefined) {
    throw new TargonError(`--miners names ${JSON.stringify(unknown)}, which is not on the board.`, {
      code: 'LOCALNET_MINERS',
      fault: 'usage',
      next: `Use names from this list: ${CAST.map(({ name }) => name).join(', ')}.`,
    })
  }
  return miners.length === 0 ? CAST : CAST.filter(({ name }) => miners.includes(name))
}

function cheatMember(cheat: string): CastMember {
  const behaviour = BEHAVIOURS.find((name) => name === cheat && name !== 'honest')
  if (!behaviour) {
    throw new TargonError(`--cheats names ${JSON.stringify(cheat)}, which is not a cheat.`, {
      code: 'LOCALNET_CHEATS',
      fault: 'usage',
      next: `Use names from this list: ${BEHAVIOURS.filter((name) => name !== 'honest').join(', ')}.`,
    })
  }
  return { name: `cheat-${behaviour}`, behaviour, models: [first], tokensPerSecond: 120 }
}

export const VALIDATOR_NAME = 'validator'
export const HUB_NAME = 'hub'
export const WALLET_NAME = 'localnet'
/** The key that owns every neuron. */
export const COLDKEY_NAME = 'coldkey'

/** Hotkey names by uid: the validator is uid 0, the miners follow, and the hub, if there is one, is last. */
export function hotkeyNames(cast: readonly CastMember[], hasHub = false): string[] {
  return [VALIDATOR_NAME, ...cast.map((member) => member.name), ...(hasHub ? [HUB_NAME] : [])]
}

/** The 32-byte secret of a localnet key. The same seed gives the same key; it is worthless on any other chain. */
export function deriveSecret(seed: string, keyName: string): Uint8Array {
  return createHash('sha256').update(`targon localnet/${seed}/${keyName}`).digest()
}
