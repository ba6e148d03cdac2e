import { readSecretFile } from './key-file.js'

/** Where the password of an encrypted key file may come from, tried in this order. */
export interface PasswordSources {
  readonly password?: string | undefined
  /** File whose first line is the password, mode 0600. */
  readonly passwordFile?: string | undefined
  /** Environment, for the `BT_PW_*` variables of the SDK. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  /** Asks on a terminal; undefined when nobody answers. */
  readonly prompt?: ((question: string) => Promise<string | undefined>) | undefined
}

/** @returns the first password a source gives, or undefined. */
export async function findPassword(keyPath: string, sources: PasswordSources): Promise<string | undefined> {
  if (sources.password !== undefined) return sources.password
  if (sources.passwordFile !== undefined) {
    const content = await readSecretFile(sources.passwordFile, {
      what: 'password file',
      missingNext: 'Correct --wallet.password_file.',
    })
    return content.toString('utf8').split(/\r?\n/)[0]
  }
  const name = passwordVariable(keyPath)
  const stored = sources.variables?.[name]
  if (stored !== undefined) return unmask(stored, name)
  return sources.prompt?.(`Password of ${keyPath}: `)
}

/** Name of the variable btwallet keeps a password in: the path with `/` and `.` as `_`, upper-cased. */
export function passwordVariable(keyPath: string): string {
  return `BT_PW_${keyPath.replace(/[/.]/g, '_').toUpperCase()}`
}

/** btwallet stores base64(password XOR repeated name of the variable): a veil, not a protection. */
function unmask(stored: string, name: string): string {
  const mask = Buffer.from(name, 'utf8')
  return Buffer.from(stored, 'base64')
    .map((byte, index) => byte ^ (mask[index % mask.length] ?? 0))
    .toString()
}
