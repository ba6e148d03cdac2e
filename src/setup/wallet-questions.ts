import { newHotkeyCommand } from '../wallet/index.js'
import type { Answers, Given, SetupDeps } from './answers.js'

/** Wallet and hotkey, chosen from those on disk where there are any. */
export async function askWallet(
  { settings, has }: Given,
  answers: Answers,
  { asker, findHotkeys }: SetupDeps,
): Promise<void> {
  const path = settings['wallet.path']
  if (has('wallet.path')) answers.set('wallet.path', path)
  const known = (await findHotkeys(path)).filter(
    ({ wallet, hotkey }) =>
      (!has('wallet.name') || wallet === settings['wallet.name']) &&
      (!has('wallet.hotkey') || hotkey === settings['wallet.hotkey']),
  )
  if (has('wallet.name') && has('wallet.hotkey')) {
    answers.set('wallet.name', settings['wallet.name'])
    answers.set('wallet.hotkey', settings['wallet.hotkey'])
    return
  }
  const typed = known.length === 0 ? undefined : await chooseHotkey(known, asker)
  if (typed) {
    answers.set('wallet.name', typed.wallet)
    answers.set('wallet.hotkey', typed.hotkey)
    return
  }
  if (known.length === 0) asker.note(`No hotkey was found below ${path}.`)
  const name = await asker.type('Name of the wallet (coldkey)', settings['wallet.name'], required)
  const hotkey = await asker.type('Name of the hotkey', settings['wallet.hotkey'], required)
  answers.set('wallet.name', name)
  answers.set('wallet.hotkey', hotkey)
  if (known.length === 0) asker.note(`It can be created with: ${newHotkeyCommand({ name, hotkey, path })}`)
}

async function chooseHotkey(known: Awaited<ReturnType<SetupDeps['findHotkeys']>>, asker: SetupDeps['asker']) {
  const choices = known.map((one) => ({
    name: `${one.wallet}/${one.hotkey}  ${one.address ?? '(address unknown)'}`,
    value: one as typeof one | undefined,
  }))
  return await asker.choose('Hotkey', [...choices, { name: 'another one', value: undefined }])
}

export function required(text: string): string | undefined {
  return text === '' ? 'An answer is needed.' : undefined
}
