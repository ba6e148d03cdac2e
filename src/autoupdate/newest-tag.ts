import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { UpdateContext } from './context.js'
import { listTags } from './git.js'
import { newestVersion } from './offer.js'

/**
 * The newest version that the update source has a tag for, unverified. Fetches nothing and writes nothing.
 *
 * @throws TargonError UPDATE_COMMAND_FAILED when the source cannot be reached
 */
export async function newestTag(context: UpdateContext): Promise<string | undefined> {
  const { layout, channel } = context
  // Git needs a folder to run in, also where nothing was installed yet.
  const root = existsSync(layout.root) ? layout.root : tmpdir()
  return newestVersion(await listTags({ ...context, layout: { ...layout, root } }), channel)
}
