import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { slotOf } from './layout.js'
import { currentRelease } from './switch-release.js'

/** File in each release that pins the keys allowed to sign the next one. */
export const SIGNERS_PATH = join('deploy', 'allowed_signers')

/**
 * Path of the pinned-signers file (OpenSSH allowed_signers): the configured one, else that of the current release (R1),
 * else that of the tree this process runs from.
 *
 * @throws TargonError UPDATE_SIGNERS_MISSING when the file does not exist, UPDATE_NO_SIGNERS when it contains no key.
 */
export async function pinnedSigners(context: UpdateContext): Promise<string> {
  const current = await currentRelease(context.layout)
  const path =
    context.signersFile ??
    (current === undefined ? context.bundledSignersFile : join(slotOf(context.layout, current), SIGNERS_PATH))
  try {
    await access(path)
  } catch (error) {
    throw new TargonError(
      `The pinned-signers file ${path} does not exist.`,
      { code: 'UPDATE_SIGNERS_MISSING', fault: 'update', next: 'Set --update.signers to an existing file.' },
      { cause: error },
    )
  }
  if (countKeys(await readFile(path, 'utf8')) > 0) return path
  throw new TargonError(`Releases cannot be verified: ${path} contains no signing key.`, {
    code: 'UPDATE_NO_SIGNERS',
    fault: 'update',
    next: 'Add the maintainers’ public key to it, or set --update.signers to a file that contains it (docs/updates.md).',
  })
}

function countKeys(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#')).length
}
