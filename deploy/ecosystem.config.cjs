// pm2 start deploy/ecosystem.config.cjs --only targon-validator
// Settings come from .env in this checkout or from TARGON_* variables, so that no secret appears in argv.
const { homedir } = require('node:os')
const { join } = require('node:path')

const checkout = join(__dirname, '..')

/** `/` for a user id without an account, as in containers. */
function home() {
  try {
    return homedir()
  } catch {
    return '/'
  }
}

const neuron = (role) => ({
  name: `targon-${role}`,
  // starts the current release, or this checkout until a release is installed
  script: join(checkout, 'deploy', 'launcher.mjs'),
  args: `${role} start`,
  cwd: checkout,
  // each neuron has its own releases, probation and rollback: targon update --update.root ~/.targon/<role>
  env: { TARGON_UPDATE_ROOT: process.env.TARGON_UPDATE_ROOT ?? join(home(), '.targon', role) },
  interpreter: 'node',
  exec_mode: 'fork',
  instances: 1,
  // pm2 sends SIGINT and kills after this time: enough for --drain-timeout (15 s) and the final save
  kill_timeout: 25000,
  wait_ready: true,
  listen_timeout: 120000,
  exp_backoff_restart_delay: 1000,
  // a restart would not help: wrong settings, not registered, hotkey in use, no release to start
  // (pm2 shows such a process as "waiting restart" but does not restart it)
  stop_exit_codes: [2, 3, 7, 78],
})

module.exports = { apps: [neuron('miner'), neuron('validator'), neuron('hub')] }
