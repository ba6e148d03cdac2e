import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode, messageOf } from '../../kernel/index.js'
import type { Check } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'
import { nearestExisting } from './disk.js'
import { EXPOSED } from './settings.js'

/** Mode bits of group and others. */
const OTHERS = 0o077
/** Of a state folder; an unusual one has hundreds. */
const MOST_FILES = 200

export const filesCheck: Check = {
  id: 'files',
  title: 'reading the modes of files',
  run: async ({ stateDir, settings, reading }) => {
    const folder = stateDir ?? settings['logging.logging_dir']
    const seen = [
      ...reading.warnings.filter((sentence) => EXPOSED.test(sentence)).map(exposed),
      ...(await stateFindings(folder, stateDir !== undefined)),
    ]
    return seen.length > 0 ? seen : [ok(`The state folder is ${folder}; files with secrets are private.`)]
  },
}

function exposed(sentence: string): Seen {
  const [what = sentence, command] = sentence.split('; run: ')
  return warn(`${what}.`, `Run: ${command ?? 'chmod 600 on the file'}`)
}

/** @param isOwn the folder is a neuron's, so that its mode counts */
async function stateFindings(folder: string, isOwn: boolean): Promise<Seen[]> {
  const existing = await nearestExisting(folder)
  if (!(await isWritable(existing)))
    return [
      fail(
        `This user may not write to ${existing}, where the state of the neuron is kept.`,
        'Correct its owner, or set --logging.logging_dir to a writable folder.',
      ),
    ]
  if (existing !== folder || !isOwn) return []
  const { mode } = await stat(folder)
  const open = (mode & OTHERS) === 0 ? [] : [openFolder(folder, mode)]
  return [...open, ...(await foreignFiles(folder))]
}

function openFolder(folder: string, mode: number): Seen {
  return warn(
    `The state folder ${folder} has mode ${(mode & 0o777).toString(8)}: other users of this machine can look into it.`,
    `Run: chmod 700 ${folder}`,
  )
}

/** Files that another user left, as after a start as root. */
async function foreignFiles(folder: string): Promise<Seen[]> {
  const names = (await readdir(folder)).slice(0, MOST_FILES)
  for (const name of names) {
    const path = join(folder, name)
    if (await isWritable(path)) continue
    return [
      fail(`This user may not write to ${path}.`, 'Correct the owner of the files in the state folder.'),
    ]
  }
  return []
}

async function isWritable(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK | constants.W_OK)
    return true
  } catch (error) {
    // Files of a running neuron come and go.
    if (hasCode(error, 'ENOENT')) return true
    if (['EACCES', 'EPERM', 'EROFS'].some((code) => hasCode(error, code))) return false
    throw new Error(`${path} cannot be examined: ${messageOf(error)}`)
  }
}
