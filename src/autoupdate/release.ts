import semver from 'semver'
import { z } from 'zod'
import { TargonError } from '../kernel/index.js'

/** The signed release file: JSON in the message of the release tag. */
export const releaseFile = z.object({
  version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/),
  /** Commit the tag must point to. */
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  /** Digest of the file contents (tree-digest.ts), because git's own ids are only SHA-1. */
  sha512: z.string().regex(/^[0-9a-f]{128}$/),
  /** From this time on, a source that offers nothing newer may be frozen. */
  expires: z.iso.datetime(),
  minNode: z.string().regex(/^\d+\.\d+\.\d+$/),
  specVersion: z.number().int().positive(),
})

export type ReleaseFile = z.output<typeof releaseFile>

/** A release whose signature, name, version and commit have been verified. */
export interface VerifiedRelease {
  readonly version: string
  readonly tag: string
  readonly release: ReleaseFile
  /** Principal of the pinned key that signed it. */
  readonly signedBy: string
}

/** The rule a refused release violates (docs/updates.md). */
export type RefusalRule =
  | 'signature'
  | 'tag-name'
  | 'release-file'
  | 'version-mismatch'
  | 'commit-mismatch'
  | 'downgrade'
  | 'known-bad'
  | 'node-too-old'
  | 'unsafe-tree'
  | 'contents'
  | 'install'
  | 'self-test'

export interface ReleaseRefusal {
  readonly rule: RefusalRule
  readonly detail: string
}

/** Guards what is passed on to git and npm as a name. @throws TargonError UPDATE_BAD_VERSION unless it is an exact version. */
export function requireVersion(text: string): void {
  if (semver.valid(text) === text) return
  throw new TargonError(`${JSON.stringify(text)} is not a valid version.`, {
    code: 'UPDATE_BAD_VERSION',
    fault: 'usage',
    next: 'Give an exact version as X.Y.Z.',
  })
}
