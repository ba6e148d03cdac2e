import { describeOrigin } from '../../config/index.js'
import type { Check } from '../context.js'
import { ok, warn } from '../finding.js'

/** What config/ says of files that show a secret; the check of files repeats it. */
export const EXPOSED = /is readable by other users/

export const settingsCheck: Check = {
  id: 'settings',
  title: 'reading the settings',
  run: async ({ reading: { warnings, shadowed, given } }) => {
    const seen = [
      ...warnings
        .filter((sentence) => !EXPOSED.test(sentence))
        .map((sentence) => warn(sentence, 'Remove or rename it; --print-config shows what counts.')),
      ...shadowed.map(({ name, used, ignored }) =>
        warn(
          `${name} is set to different values: ${describeOrigin(used)} counts, ${describeOrigin(ignored)} does not.`,
          'Remove one of them.',
        ),
      ),
    ]
    return seen.length > 0 ? seen : [ok(`${given} given; all are known, none is overridden.`)]
  },
}
