import semver from 'semver'
import { z } from 'zod'
import { messageOf, parseJson } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { runGit, runMirror } from './git.js'
import { type ReleaseRefusal, releaseFile, type VerifiedRelease } from './release.js'
import { pinnedSigners } from './signers.js'

const packageFile = z.object({ version: z.string() })

/**
 * Verifies a fetched tag: signed by a pinned key (R1); the name inside the signed object equals the ref (R2), because an
 * old signed tag pushed under a new name still has a valid signature; version, commit and package.json agree with the
 * name (R3); this Node is new enough.
 */
export async function verifyRelease(
  context: UpdateContext,
  tag: string,
): Promise<VerifiedRelease | ReleaseRefusal> {
  const signedBy = await verifySignature(context, tag)
  if (signedBy === undefined) return { rule: 'signature', detail: `${tag} is not signed by a pinned key` }

  const object = await runMirror(context, ['cat-file', 'tag', `refs/tags/${tag}`])
  const head = object.slice(0, object.indexOf('\n\n'))
  const name = /^tag (.+)$/m.exec(head)?.[1]
  if (name !== tag)
    return { rule: 'tag-name', detail: `the ref ${tag} contains the signed tag ${name ?? '(none)'}` }

  const parsed = releaseFile.safeParse(jsonIn(object))
  if (!parsed.success) return { rule: 'release-file', detail: `${tag} contains no valid release file` }
  const release = parsed.data
  if (`v${release.version}` !== tag)
    return { rule: 'version-mismatch', detail: `the release file of ${tag} is for ${release.version}` }
  const commit = (await runMirror(context, ['rev-parse', `refs/tags/${tag}^{commit}`])).trim()
  if (commit !== release.commit)
    return {
      rule: 'commit-mismatch',
      detail: `${tag} points to ${commit}, but the signed commit is ${release.commit}`,
    }
  const packaged = await packageVersionIn(context, tag)
  if (packaged !== release.version)
    return { rule: 'version-mismatch', detail: `package.json of ${tag} has version ${packaged}` }
  if (semver.lt(context.nodeVersion, release.minNode))
    return {
      rule: 'node-too-old',
      detail: `${tag} needs Node ${release.minNode} or newer, this is ${context.nodeVersion}`,
    }
  return { version: release.version, tag, release, signedBy }
}

export function isReleaseRefusal(outcome: VerifiedRelease | ReleaseRefusal): outcome is ReleaseRefusal {
  return 'rule' in outcome
}

/** @returns the principal of the pinned key that signed the tag, undefined when no pinned key did. */
async function verifySignature(context: UpdateContext, tag: string): Promise<string | undefined> {
  const signersFile = await pinnedSigners(context)
  try {
    const { stderr } = await runGit(context, [
      // the signature itself selects its format: never consult the keyring of the host
      ...['-c', 'gpg.openpgp.program=false', '-c', 'gpg.x509.program=false'],
      ...['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${signersFile}`],
      ...['--git-dir', context.layout.repository, 'verify-tag', `refs/tags/${tag}`],
    ])
    return /^Good "git" signature for (\S+) with/m.exec(stderr)?.[1]
  } catch (error) {
    // without ssh-keygen, or with git older than 2.34, the signature could not be checked at all
    if (context.signal.aborted || /ssh-keygen|gpg\.format/.test(messageOf(error))) throw error
    return undefined
  }
}

async function packageVersionIn(context: UpdateContext, tag: string): Promise<string> {
  const text = await runMirror(context, ['show', `refs/tags/${tag}:package.json`]).catch(() => '')
  return packageFile.safeParse(parseJson(text)).data?.version ?? '(none)'
}

function jsonIn(object: string): unknown {
  return parseJson(/\{[\s\S]*?\n\}/.exec(object)?.[0] ?? '')
}
