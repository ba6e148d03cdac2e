import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { slotOf } from './layout.js'
import { currentRelease } from './switch-release.js'

/** Where a release carries the keys that may sign the next one. */
export const SIGNERS_PATH = join('deploy', 'allowed_signers')

/**
 * The file of pinned signers (OpenSSH allowed_signers): the one that was named, else that of the current release (R1),
 * else that of the tree this process runs from.
 *
 * @throws TargonError UPDATE_SIGNERS_MISSING without such a file, UPDATE_NO_SIGNERS when it pins no key.
 */
export async function pinnedSigners(context: UpdateContext): Promise<string> {
  const current = await currentRelease(context.layout)
  const path =
    context.signersFile ??
    (current === undefined ? context.ownSignersFile : join(slotOf(context.layout, current), SIGNERS_PATH))
  try {
    await access(path)
  } catch (error) {
    throw new TargonError(
      `The file of pinned signers ${path} does not exist.`,
      { code: 'UPDATE_SIGNERS_MISSING', fault: 'update', next: 'Name one with --update.signers.' },
      { cause: error },
    )
  }
  if (countKeys(await readFile(path, 'utf8')) > 0) return path
  throw new TargonError(`No release can be trusted: ${path} pins no key.`, {
    code: 'UPDATE_NO_SIGNERS',
    fault: 'update',
    next: 'Write the maintainers’ public key into it, or name a file that has it with --update.signers (docs/updates.md).',
  })
}

function countKeys(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#')).length
}
