import { access, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { every, TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { type CommandOutput, runCommand } from './run-command.js'

const GIT_TIMEOUT_MS = 60_000

/** No hooks, no transports that run programs, every received object checked, no attributes of the host. */
const SAFE_OPTIONS = [
  ...['-c', 'core.hooksPath=/dev/null', '-c', 'fetch.fsckObjects=true', '-c', 'transfer.fsckObjects=true'],
  ...['-c', 'protocol.ext.allow=never', '-c', 'submodule.recurse=false', '-c', 'core.symlinks=false'],
  ...['-c', 'core.autocrlf=false', '-c', 'core.attributesFile=/dev/null', '-c', 'advice.detachedHead=false'],
  // keeps a fetch in one growing pack file, whose size can be measured
  ...['-c', 'fetch.unpackLimit=1'],
]

const MAX_FETCH_BYTES = 200 << 20
const SIZE_CHECK_MS = 500

export async function runGit(
  context: UpdateContext,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandOutput> {
  return await runCommand('git', [...SAFE_OPTIONS, ...args], {
    label: `git ${subcommandOf(args)}`,
    cwd: context.layout.root,
    timeoutMs: context.gitTimeoutMs ?? GIT_TIMEOUT_MS,
    signal: context.signal,
    env: {
      ...context.env,
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      LC_ALL: 'C',
      ...env,
    },
  })
}

function subcommandOf(args: readonly string[]): string {
  const takesValue = new Set(['-c', '--git-dir'])
  return args.find((arg, index) => !arg.startsWith('-') && !takesValue.has(args[index - 1] ?? '')) ?? ''
}

/** Runs git in the bare mirror. @returns standard output. */
export async function runMirror(
  context: UpdateContext,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<string> {
  return (await runGit(context, ['--git-dir', context.layout.repository, ...args], env)).stdout
}

/** Names of the tags at the source; fetches nothing. */
export async function listTags(context: UpdateContext): Promise<string[]> {
  const { stdout } = await runGit(context, ['ls-remote', '--tags', '--refs', '--', context.url])
  return stdout
    .split('\n')
    .map((line) => /^[0-9a-f]{40,64}\trefs\/tags\/(.+)$/.exec(line)?.[1])
    .filter((tag): tag is string => tag !== undefined)
}

/** Fetches one tag with its commit into the mirror, creating the mirror on first use. @throws TargonError UPDATE_TOO_LARGE. */
export async function fetchTag(context: UpdateContext, tag: string): Promise<void> {
  if (!(await exists(context.layout.repository))) {
    await runGit(context, ['init', '--quiet', '--bare', context.layout.repository])
  }
  const { repository } = context.layout
  const maxBytes = context.maxFetchBytes ?? MAX_FETCH_BYTES
  const before = await packedBytes(repository)
  const isOver = async () => (await packedBytes(repository)) - before > maxBytes
  const watch = new AbortController()
  const oversize = new AbortController()
  const signal = AbortSignal.any([context.signal, oversize.signal])
  const tooLarge = oversizeError(context.url, maxBytes)
  void every(
    context.clock,
    SIZE_CHECK_MS,
    watch.signal,
    async () => {
      if (await isOver()) oversize.abort(tooLarge)
    },
    () => {},
  )
  try {
    await runMirror({ ...context, signal }, [
      ...['fetch', '--quiet', '--no-tags', '--force', '--depth', '1', '--no-recurse-submodules'],
      ...['--', context.url, `+refs/tags/${tag}:refs/tags/${tag}`],
    ])
    if (await isOver()) throw tooLarge
  } catch (error) {
    // the mirror is only a cache: delete it so that the oversized download does not stay on disk
    if (error === tooLarge) await rm(repository, { recursive: true, force: true, maxRetries: 5 })
    throw error
  } finally {
    watch.abort()
  }
}

/** Whether the mirror has a tag; does not contact the source. */
export async function hasTag(context: UpdateContext, tag: string): Promise<boolean> {
  const { repository } = context.layout
  if (!(await exists(repository))) return false
  return (await runMirror(context, ['tag', '--list', tag])).trim() === tag
}

async function packedBytes(repository: string): Promise<number> {
  const folder = join(repository, 'objects', 'pack')
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (file) => file.size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function oversizeError(url: string, maxBytes: number): TargonError {
  return new TargonError(`The update source ${url} sent more than ${maxBytes} bytes for one release.`, {
    code: 'UPDATE_TOO_LARGE',
    fault: 'update',
    next: 'Nothing was installed. Check --update.url.',
  })
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
