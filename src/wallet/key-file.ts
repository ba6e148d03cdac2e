import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { hasCode, messageOf } from '../kernel/index.js'
import { walletError } from './wallet-error.js'

/** A key or a password is a few hundred bytes; anything larger is neither. */
const MAX_SECRET_BYTES = 64 * 1024

/** What is being read, for the words of an error. */
export interface SecretFile {
  readonly what: 'key file' | 'password file'
  /** What to do when there is none. */
  readonly missingNext: string
}

/**
 * Reads a secret file once: a plain file (no link is followed), readable by its owner alone.
 *
 * @throws TargonError WALLET_NOT_FOUND, WALLET_PERMISSIONS, WALLET_UNREADABLE (fault usage).
 */
export async function readSecretFile(path: string, wanted: SecretFile): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw openError(path, error, wanted)
  })
  try {
    const status = await file.stat()
    if (!status.isFile()) {
      throw walletError('WALLET_UNREADABLE', `${path} is not a file.`, 'Point at the file itself.', { path })
    }
    if ((status.mode & 0o077) !== 0) {
      const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
      throw walletError(
        'WALLET_PERMISSIONS',
        `${path} has mode ${mode}: others on this machine can read or change the secret.`,
        `Run: chmod 600 ${path}`,
        { path, mode },
      )
    }
    if (status.size > MAX_SECRET_BYTES) {
      throw walletError(
        'WALLET_UNREADABLE',
        `${path} holds ${status.size} bytes, too many for a ${wanted.what}.`,
        `Check that the path names the ${wanted.what}.`,
        { path, bytes: status.size },
      )
    }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function openError(path: string, error: unknown, { what, missingNext }: SecretFile): Error {
  if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
    return walletError('WALLET_NOT_FOUND', `There is no ${what} ${path}.`, missingNext, { path })
  }
  if (hasCode(error, 'ELOOP')) {
    return walletError(
      'WALLET_UNREADABLE',
      `${path} is a symbolic link; a ${what} is not read through links.`,
      'Put the file itself there.',
      { path },
    )
  }
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) {
    return walletError(
      'WALLET_PERMISSIONS',
      `${path} may not be read by this user.`,
      'Run as the owner of the file, which has mode 0600.',
      { path },
    )
  }
  return walletError(
    'WALLET_UNREADABLE',
    `${path} cannot be read: ${messageOf(error)}.`,
    'Check the path and the disk.',
    { path },
    { cause: error },
  )
}
