/** A command of btcli with flags that both btcli 9 (bittensor-cli 9.23.2) and 11 (bittensor 11.3.0) take. */
export interface BtcliForm {
  readonly flags: readonly string[]
  readonly required?: readonly string[]
}

const WALLET = ['--wallet-hotkey', '--wallet-path']

/** test/services/python-clients.test.ts asks both programs whether they take them. */
export const BTCLI_FORMS: Readonly<Record<string, BtcliForm>> = {
  'wallet new-coldkey': { flags: WALLET },
  'wallet new-hotkey': { flags: WALLET },
  'wallet regen-hotkey': { flags: WALLET },
  'subnets register': { flags: [...WALLET, '--netuid', '--network'], required: ['--netuid'] },
  'subnets list': { flags: ['--network'] },
}

/** The commands of btcli that a text names, up to the end of the sentence, the code or the line. */
export function btcliLines(text: string): string[] {
  return [...text.matchAll(/\bbtcli (?:[a-z]+ [a-z_-]+)[^`'";()\n]*/g)]
    .map(([line]) => line.replace(/\.\s.*$|[.,]$/s, '').trim())
    .filter((line) => /^btcli (wallets?|w|subnets?|s|stake|config|tx|query|sudo|axon) /.test(line))
}

/** Why one of the two programs would refuse the line; undefined if both take it. */
export function problemOf(line: string): string | undefined {
  const [, command = '', rest = ''] = /^btcli (\S+ \S+)(.*)$/s.exec(line) ?? []
  const form = BTCLI_FORMS[command]
  if (!form) return `unknown command: ${line}`
  const given = [...rest.matchAll(/(?<=\s)--?[\w.-]+/g)].map(([flag]) => flag)
  const refused = given.find((flag) => !form.flags.includes(flag))
  if (refused !== undefined) return `${refused} is refused: ${line}`
  const missing = form.required?.find((flag) => !given.includes(flag))
  return missing === undefined ? undefined : `${missing} is missing: ${line}`
}
