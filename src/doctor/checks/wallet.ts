import type { Check } from '../context.js'
import { ok } from '../finding.js'

export const walletCheck: Check = {
  id: 'wallet',
  title: 'reading the hotkey',
  // A password may be typed.
  deadlineMs: 300_000,
  run: async ({ loadHotkey, settings }) => {
    const { address } = await loadHotkey()
    return [ok(`Hotkey ${settings['wallet.hotkey']} of wallet ${settings['wallet.name']} is ${address}.`)]
  },
}
