import { type ResourceLimits, Worker } from 'node:worker_threads'

/**
 * Runs one of our modules on a worker thread, which does not keep the process alive.
 *
 * @param module URL of the module without extension: `.js` once built, `.ts` when run from source. Then the thread has to
 *   register the TypeScript loader itself, because Node 20 does not pass it on.
 * @param resourceLimits heap limits, beyond which the thread ends. Ignored from source, where the loader needs room too.
 */
export function startWorkerThread(module: URL, resourceLimits: ResourceLimits = {}): Worker {
  const isSource = import.meta.url.endsWith('.ts')
  const worker = isSource
    ? startFromSource(`${module.href}.ts`)
    : new Worker(new URL(`${module.href}.js`), { resourceLimits })
  worker.unref()
  return worker
}

function startFromSource(url: string): Worker {
  const code = `import('tsx/esm/api').then(({ register }) => {
    register()
    return import(${JSON.stringify(url)})
  })`
  return new Worker(code, { eval: true, execArgv: [] })
}
