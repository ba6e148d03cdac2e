import type { Metagraph } from '../../../chain/index.js'

/**
 * Who may read organics and report verdicts: the listed hotkeys, or with an empty list every neuron with a validator permit.
 *
 * @param metagraph the newest that was read; undefined before.
 */
export function createAllowedValidators(
  listed: readonly string[],
  metagraph: () => Pick<Metagraph, 'find'> | undefined,
): (hotkey: string) => boolean {
  const hotkeys = new Set(listed)
  return (hotkey) =>
    hotkeys.size > 0 ? hotkeys.has(hotkey) : metagraph()?.find(hotkey)?.validatorPermit === true
}
