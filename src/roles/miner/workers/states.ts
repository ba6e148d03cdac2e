import type { MinerSettings } from '../../../config/index.js'
import type { FrontEndParts } from '../serving/index.js'
import type { WorkerState } from './to-worker.js'

/** One part of the state that workers follow, and its text, by which changes are recognized. */
export interface StatePart {
  readonly name: keyof WorkerState
  readonly patch: WorkerState
  readonly text: string
}

/** The current state that workers follow: of the subnet, the model servers and the miner. */
export interface States {
  read(): readonly StatePart[]
  setPolicy(policy: MinerSettings['request-policy']): void
}

export function createStates(
  { registration, router, isDraining }: Pick<FrontEndParts, 'registration' | 'router' | 'isDraining'>,
  firstPolicy: MinerSettings['request-policy'],
): States {
  let policy = firstPolicy
  let read: { readonly of: unknown; readonly part: StatePart } | undefined
  const neurons = (): StatePart => {
    const all = registration.neurons()
    if (read?.of === all) return read.part
    const value = all.map(({ uid, hotkey, stakeTao, validatorPermit }) => ({
      ...{ uid, hotkey, stakeTao, validatorPermit },
    }))
    read = { of: all, part: partOf('neurons', { neurons: value }) }
    return read.part
  }
  return {
    read: () => [
      neurons(),
      partOf('isExpired', { isExpired: registration.isExpired() }),
      partOf('isDraining', { isDraining: isDraining() }),
      partOf('upstreams', { upstreams: router.states() }),
      partOf('policy', { policy }),
    ],
    setPolicy: (next) => {
      policy = next
    },
  }
}

function partOf(name: StatePart['name'], patch: WorkerState): StatePart {
  return { name, patch, text: JSON.stringify(patch) }
}

/** The parts joined for one message. */
export function stateOf(parts: readonly StatePart[]): WorkerState {
  const state: WorkerState = {}
  for (const { patch } of parts) Object.assign(state, patch)
  return state
}
