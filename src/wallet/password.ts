import { decodeText } from '../kernel/index.js'
import { readSecretFile } from './key-file.js'

/** Where the password of an encrypted key file comes from; tried in this order. */
export interface PasswordSources {
  readonly password?: string | undefined
  /** File whose first line is the password, mode 0600. */
  readonly passwordFile?: string | undefined
  /** Environment variables, for the SDK's `BT_PW_*`. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  /** Asks in a terminal; returns undefined without an answer. */
  readonly prompt?: ((question: string) => Promise<string | undefined>) | undefined
}

/** @returns the password of the first source that has one. */
export async function findPassword(keyPath: string, sources: PasswordSources): Promise<string | undefined> {
  if (sources.password !== undefined) return sources.password
  if (sources.passwordFile !== undefined) {
    const content = await readSecretFile(sources.passwordFile, {
      what: 'password file',
      missingNext: 'Correct --wallet.password_file.',
    })
    return (decodeText(content) ?? content.toString('utf8')).split(/\r?\n/)[0]
  }
  const name = passwordVariable(keyPath)
  const stored = sources.variables?.[name]
  if (stored !== undefined) return unmask(stored, name)
  return sources.prompt?.(`Password for ${keyPath}: `)
}

/** Environment variable in which btwallet stores a password: the path in upper case, with `/` and `.` as `_`. */
export function passwordVariable(keyPath: string): string {
  return `BT_PW_${keyPath.replace(/[/.]/g, '_').toUpperCase()}`
}

/** btwallet stores base64(password XOR repeated variable name), which obscures the password but does not protect it. */
function unmask(stored: string, name: string): string {
  const mask = Buffer.from(name, 'utf8')
  return Buffer.from(stored, 'base64')
    .map((byte, index) => byte ^ (mask[index % mask.length] ?? 0))
    .toString()
}
