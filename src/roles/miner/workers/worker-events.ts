import type { ServingParts } from '../serving/index.js'
import { readWantedNames } from '../serving/index.js'
import { MAX_MODEL_NAME, type ToPrimary } from './to-primary.js'

/** Sends what the routes of a worker report to the primary process, which counts for all workers. */
export function createWorkerEvents(
  tell: (message: ToPrimary) => void,
): Pick<ServingParts, 'requests' | 'traffic' | 'wanted' | 'onOutcome'> {
  return {
    requests: {
      admitted: (hotkey, uid) => tell({ t: 'admitted', hotkey, uid }),
      refused: (code, caller) =>
        tell({
          t: 'refused',
          code,
          ...(caller ? { caller: { hotkey: caller.hotkey, uid: caller.uid } } : {}),
        }),
      ended: (route, end) => tell({ t: 'ended', route, end }),
    },
    traffic: {
      ended: ({ hotkey, uid }, model, end, firstByteMs) =>
        tell({ t: 'traffic', hotkey, uid, model: shorten(model), end, firstByteMs }),
    },
    wanted: {
      take: (hotkey, body) => {
        const names = readWantedNames(body)
        if (names !== undefined) tell({ t: 'wanted', hotkey, names })
        return names !== undefined
      },
    },
    onOutcome: ({ path, model }, outcome) => tell({ t: 'outcome', path, model: shorten(model), outcome }),
  }
}

function shorten(model: string): string {
  return model.slice(0, MAX_MODEL_NAME)
}
