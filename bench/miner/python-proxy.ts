import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort, subjectOf, untilListening } from '../peers/listening.js'
import { PYTHON } from './figures.js'
import { type Subject, spawnSubject } from './processes.js'

/** A proxy built like the original miner. Undefined if Python or one of its packages is missing. */
export async function startPython(upstreamPort: number): Promise<Subject | undefined> {
  const pythons = ['python3', '/usr/bin/python3']
  const hasPackages = (python: string) =>
    spawnSync(python, ['-c', 'import fastapi, httpx, uvicorn'], { stdio: 'ignore' }).status === 0
  const python = pythons.find(hasPackages)
  if (python === undefined) return undefined
  const port = await freePort()
  const script = fileURLToPath(new URL('./pass_through.py', import.meta.url))
  const child = spawnSubject(python, [script, `http://127.0.0.1:${upstreamPort}`, String(port)])
  await untilListening(PYTHON, child, port)
  return subjectOf(PYTHON, child, port)
}
