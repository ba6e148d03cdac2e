import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Logger } from 'pino'

/**
 * Calls `onChange` when one of the files is written, replaced or created, until the signal aborts. Watches folders instead
 * of files: editors replace the file, and Kubernetes replaces the link `..data` of a mounted configuration.
 */
export function watchFiles(
  files: readonly string[],
  log: Logger,
  signal: AbortSignal,
  onChange: () => void,
): void {
  if (signal.aborted) return
  const namesByFolder = new Map<string, Set<string>>()
  for (const file of files) {
    const names = namesByFolder.get(dirname(file)) ?? new Set()
    namesByFolder.set(dirname(file), names.add(basename(file)))
  }
  for (const [folder, names] of namesByFolder) {
    const warn = (error: unknown) =>
      log.warn(
        { event: 'settings-watch-failed', folder, err: error, next: 'Send SIGHUP to reload the settings.' },
        'cannot watch the settings files for changes',
      )
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || names.has(name) || name === '..data') onChange()
      })
      watcher.on('error', warn)
      signal.addEventListener('abort', () => watcher.close(), { once: true })
    } catch (error) {
      warn(error)
    }
  }
}
