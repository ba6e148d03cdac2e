// A container may run under a user id that has no account. The system then knows neither its home folder nor its shell, and
// asking for them throws, which oclif and its libraries do while they load; so this module is imported first. `/` is the home
// folder that container runtimes give such a user.
import { homedir, userInfo } from 'node:os'

process.env.HOME ||= known(homedir) || '/'
process.env.SHELL ||= known(() => userInfo().shell) || '/bin/sh'

function known(read) {
  try {
    return read()
  } catch {
    return undefined
  }
}
