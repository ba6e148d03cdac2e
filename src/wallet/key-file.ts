import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { hasCode, messageOf } from '../kernel/index.js'
import { walletError } from './wallet-error.js'

/** Keys and passwords are a few hundred bytes; a larger file is something else. */
const MAX_SECRET_BYTES = 64 * 1024

/** How error messages describe the file. */
export interface SecretFile {
  readonly what: 'key file' | 'password file'
  /** Next step when the file is missing. */
  readonly missingNext: string
}

/**
 * Reads a secret from a regular file (symbolic links are rejected) that only its owner can read.
 *
 * @throws TargonError WALLET_NOT_FOUND, WALLET_PERMISSIONS, WALLET_UNREADABLE (fault usage).
 */
export async function readSecretFile(path: string, kind: SecretFile): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw openError(path, error, kind)
  })
  try {
    const status = await file.stat()
    if (!status.isFile()) {
      throw walletError('WALLET_UNREADABLE', `${path} is not a file.`, 'Pass the path of the file itself.', {
        path,
      })
    }
    if ((status.mode & 0o077) !== 0) {
      const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
      throw walletError(
        'WALLET_PERMISSIONS',
        `${path} has mode ${mode}: other users of this machine can read or change the secret.`,
        `Run: chmod 600 ${path}`,
        { path, mode },
      )
    }
    if (status.size > MAX_SECRET_BYTES) {
      throw walletError(
        'WALLET_UNREADABLE',
        `${path} has ${status.size} bytes, which is too large for a ${kind.what}.`,
        `Check that this path is the ${kind.what}.`,
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
    return walletError('WALLET_NOT_FOUND', `The ${what} ${path} does not exist.`, missingNext, { path })
  }
  if (hasCode(error, 'ELOOP')) {
    return walletError(
      'WALLET_UNREADABLE',
      `${path} is a symbolic link; a ${what} must be a regular file.`,
      'Replace the link with the file itself.',
      { path },
    )
  }
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) {
    return walletError(
      'WALLET_PERMISSIONS',
      `This user is not allowed to read ${path}.`,
      'Run as the owner of the file.',
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
