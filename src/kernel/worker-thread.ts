import { getDefaultAutoSelectFamilyAttemptTimeout } from 'node:net'
import { type ResourceLimits, Worker } from 'node:worker_threads'

const root = new URL('../../', import.meta.url).href
let compiledRoot: string | undefined

/**
 * Makes threads run compiled modules although the process runs from source: the loader costs each of them a third of a second of CPU.
 *
 * @param folder URL of a folder with the compiled source of this project; undefined for the source itself
 */
export function runCompiledThreads(folder: string | undefined): void {
  compiledRoot = folder
}

/**
 * Runs one of our modules on a worker thread, which does not keep the process alive.
 *
 * @param module URL of the module without extension: `.js` once built, `.ts` when run from source. Then the thread has to
 *   register the TypeScript loader itself, because Node 20 does not pass it on. Neither does any Node pass on the time that each
 *   address of a host is given (connection-attempts.ts).
 * @param resourceLimits heap limits, beyond which the thread ends. Ignored from source, where the loader needs room too.
 */
export function startWorkerThread(module: URL, resourceLimits: ResourceLimits = {}): Worker {
  const { url, isSource } = locateModule(module)
  const worker = isSource
    ? new Worker(program(url, true), { eval: true, execArgv: [] })
    : new Worker(program(url, false), { eval: true, resourceLimits })
  worker.unref()
  return worker
}

/** The file to run for a module given without extension, and whether it is source, which needs the TypeScript loader. */
export function locateModule(module: URL): { readonly url: string; readonly isSource: boolean } {
  const isSource = import.meta.url.endsWith('.ts') && compiledRoot === undefined
  const href = compiledRoot === undefined ? module.href : module.href.replace(root, compiledRoot)
  return { url: `${href}.${isSource ? 'ts' : 'js'}`, isSource }
}

/** Gives the thread what Node does not pass on to it, then runs the module. */
function program(url: string, isSource: boolean): string {
  return `
    require('node:net').setDefaultAutoSelectFamilyAttemptTimeout(${getDefaultAutoSelectFamilyAttemptTimeout()})
    const load = ${isSource ? "import('tsx/esm/api').then(({ register }) => register())" : 'Promise.resolve()'}
    load.then(() => import(${JSON.stringify(url)}))`
}
