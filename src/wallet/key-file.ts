import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { walletError } from './wallet-error.js'

/** A key file is a few hundred bytes; anything larger is not one. */
const MAX_KEY_FILE_BYTES = 64 * 1024

/**
 * Reads a secret file once: a plain file (no link is followed), readable by its owner alone.
 *
 * @throws TargonError WALLET_NOT_FOUND, WALLET_PERMISSIONS, WALLET_UNREADABLE (fault usage).
 */
export async function readSecretFile(path: string, missingNext: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw openError(path, error, missingNext)
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
    if (status.size > MAX_KEY_FILE_BYTES) {
      throw walletError(
        'WALLET_UNREADABLE',
        `${path} holds ${status.size} bytes, too many for a key file.`,
        'Check that the path names a key file.',
        { path, bytes: status.size },
      )
    }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function openError(path: string, error: unknown, missingNext: string): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return walletError('WALLET_NOT_FOUND', `There is no key file ${path}.`, missingNext, { path })
  }
  if (code === 'ELOOP') {
    return walletError(
      'WALLET_UNREADABLE',
      `${path} is a symbolic link; key files are not read through links.`,
      'Put the file itself there.',
      { path },
    )
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return walletError(
      'WALLET_PERMISSIONS',
      `${path} may not be read by this user.`,
      'Run as the owner of the key file, with mode 0600.',
      { path },
    )
  }
  return walletError(
    'WALLET_UNREADABLE',
    `${path} cannot be read.`,
    'Check the path and the disk.',
    { path },
    { cause: error },
  )
}
