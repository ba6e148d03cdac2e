import { type ResourceLimits, Worker } from 'node:worker_threads'

/**
 * Starts a module of ours on a thread of its own; it never keeps the process alive by itself.
 *
 * @param module address of the module without its ending: `.js` once built, `.ts` when run from source, where the thread
 * has to load the TypeScript loader itself (Node 20 does not hand it down).
 * @param resourceLimits of the thread's heap, once built: beyond them it ends. From source the loader needs room of its own.
 */
export function startWorkerThread(module: URL, resourceLimits: ResourceLimits = {}): Worker {
  const isSource = import.meta.url.endsWith('.ts')
  const worker = isSource
    ? startFromSource(`${module.href}.ts`)
    : new Worker(new URL(`${module.href}.js`), { resourceLimits })
  worker.unref()
  return worker
}

function startFromSource(address: string): Worker {
  const code = `import('tsx/esm/api').then(({ register }) => {
    register()
    return import(${JSON.stringify(address)})
  })`
  return new Worker(code, { eval: true, execArgv: [] })
}
