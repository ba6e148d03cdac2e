#!/usr/bin/env node
// Starts the current release and supervises its trial. Never updates itself: a release that dies on import cannot roll
// itself back. Lives beside `current`, `releases/` and `update.json`; its arguments are those of targon.
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const at = (...names) => join(root, ...names)
const MAX_ATTEMPTS = 3
const WATCH_MS = 200
const RESTART_WANTED = 75
const NOTHING_STARTS = 78
let child
let stopping

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGHUP') stopping = signal
    // a terminal and pm2 send SIGINT to the child too; a second one would end it without a drain
    if (signal !== 'SIGINT') child?.kill(signal)
  })
}
process.exitCode = await launch()

async function launch() {
  for (;;) {
    const state = settle(readState())
    const version = currentVersion()
    if (!version || !fs.existsSync(at('releases', version, 'COMPLETE'))) {
      console.error(
        `launcher: no complete release to start (current: ${version ?? 'none'}); run targon update`,
      )
      return NOTHING_STARTS
    }
    const onTrial = state.state === 'probation'
    if (onTrial) writeState({ ...state, attempts: state.attempts + 1 })
    const code = await run(version, onTrial ? state.deadline : undefined)
    if (stopping) return code
    const trialGoesOn = readState().state === 'probation'
    if (code !== RESTART_WANTED && !trialGoesOn) return code
  }
}

/** Finishes a switch that was cut off; ends a trial that failed. */
function settle(state) {
  if (state.state !== 'probation') return state
  if (state.attempts < MAX_ATTEMPTS && Date.now() <= state.deadline) {
    if (state.attempts === 0 && currentVersion() !== state.to) link(state.to)
    return state
  }
  const { highest, committed, from, to } = state
  if (from) link(from)
  else fs.rmSync(at('current'), { force: true })
  console.error(
    `launcher: release ${to} did not prove healthy, ${from ? `back to ${from}` : 'nothing to go back to'}`,
  )
  return writeState({ state: 'committed', highest, committed, bad: [...new Set([...state.bad, to])] })
}

/** Runs a release to its end; one on trial is killed when its deadline passes. @returns its exit status. */
function run(version, deadline) {
  return new Promise((resolve) => {
    const script = at('releases', version, 'bin', 'run.js')
    child = spawn(process.execPath, [script, ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    })
    child.on('message', (message) => process.send?.(message))
    const watch = setInterval(() => {
      if (deadline && Date.now() > deadline && readState().state === 'probation') child.kill('SIGKILL')
    }, WATCH_MS)
    const end = (code) => {
      clearInterval(watch)
      resolve(code)
    }
    child.once('error', () => end(1))
    child.once('exit', (code, signal) => end(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}

function readState() {
  const file = at('update.json')
  if (!fs.existsSync(file)) return { state: 'committed', highest: '0.0.0', committed: [], bad: [] }
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}

function writeState(state) {
  fs.writeFileSync(at('update.json.tmp'), `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true })
  fs.renameSync(at('update.json.tmp'), at('update.json'))
  return state
}

function currentVersion() {
  return fs.existsSync(at('current')) ? basename(fs.readlinkSync(at('current'))) : undefined
}

function link(version) {
  fs.rmSync(at('current.tmp'), { force: true })
  fs.symlinkSync(join('releases', version), at('current.tmp'))
  fs.renameSync(at('current.tmp'), at('current'))
}
