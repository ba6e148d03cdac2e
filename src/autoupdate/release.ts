import semver from 'semver'
import { z } from 'zod'
import { TargonError } from '../kernel/index.js'

/** What a maintainer signs: JSON in the message of the release tag. */
export const releaseFile = z.object({
  version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/),
  /** Commit the tag points to. */
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  /** Digest of the tree's contents (tree-digest.ts): holds even where SHA-1 does not. */
  sha512: z.string().regex(/^[0-9a-f]{128}$/),
  /** After this day the release is stale: a source that offers nothing newer may be frozen. */
  expires: z.iso.datetime(),
  minNode: z.string().regex(/^\d+\.\d+\.\d+$/),
  specVersion: z.number().int().positive(),
})

export type ReleaseFile = z.output<typeof releaseFile>

/** A release whose signature and names have been checked. */
export interface VerifiedRelease {
  readonly version: string
  readonly tag: string
  readonly release: ReleaseFile
  /** Principal of the pinned key that signed. */
  readonly signedBy: string
}

/** Why a release is not taken; the rules of the update design, one each. */
export type RefusedRule =
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

export interface Refusal {
  readonly rule: RefusedRule
  readonly detail: string
}

/** @throws TargonError UPDATE_BAD_VERSION for a text that is no exact version; it would reach git and npm as a name. */
export function refuseNoVersion(text: string): void {
  if (semver.valid(text) === text) return
  throw new TargonError(`${JSON.stringify(text)} is not a version.`, {
    code: 'UPDATE_BAD_VERSION',
    fault: 'usage',
    next: 'Give one as X.Y.Z.',
  })
}
