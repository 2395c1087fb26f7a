import type { JailRoom } from './jailRoom';

/** One way out of a jail, tried in a fresh one by a shell script. `npm run jail:report` shows it as a row. */
export interface EscapeAttempt {
  readonly class: 'reading' | 'writing' | 'reaching' | 'becoming' | 'leaking in' | 'against the host afterwards';
  readonly attempt: string;
  /** What a person should see in the report. */
  readonly expected: string;
  /** Prints a line for each thing that it got. What the attempt may print without having got out is in `allowed`. */
  readonly script: (room: JailRoom) => string;
  readonly allowed?: string;
}

/** Attempts that need no more than a script. Those that need a look at the host are tests of their own beside this file. */
export const escapeAttempts: readonly EscapeAttempt[] = [
  {
    class: 'reading',
    attempt: "the keys and agents of the host's users",
    expected: 'no such file, no such variable',
    script: () =>
      'cat /root/.ssh/* /home/*/.ssh/* /root/.git-credentials /root/.npmrc /root/.aws/credentials 2>/dev/null; echo -n "$SSH_AUTH_SOCK$SSH_AGENT_PID$VSCODE_IPC_HOOK_CLI"',
  },
  {
    class: 'reading',
    attempt: 'configuration of the system that may hold a password',
    expected: 'no such file',
    script: () =>
      'cat /etc/gitconfig /etc/npmrc /etc/pip.conf /etc/fstab /etc/sudoers /etc/resolv.conf /etc/machine-id 2>/dev/null',
  },
  {
    class: 'reading',
    attempt: 'files of the host by names that other processes have open',
    expected: 'its own pipes alone',
    script: () =>
      'for fd in /proc/[0-9]*/fd/*; do readlink "$fd"; done | grep -vE "^(pipe:|/dev/null$|/proc/|anon_inode:|socket:|/$|/[^ ]*/pipe-[0-9]+ .deleted.$)"',
  },
  {
    class: 'writing',
    attempt: "the system's programs, by a copy mounted writable",
    expected: 'read-only everywhere',
    script: () => 'for path in /usr/bin/env /usr/lib /etc/passwd /bin/sh; do [ -w "$path" ] && echo "$path"; done',
  },
  {
    class: 'writing',
    attempt: 'device files, made and found',
    expected: 'refused',
    script: () =>
      'mknod /tmp/disk b 8 0 2>/dev/null && echo made; ls /dev | grep -E "^(sd|vd|nvme|mem|kmsg|fuse|kvm|loop|vsock|vhost|net|uinput|input|dri|snd|hidraw|usb)"',
  },
  {
    class: 'reaching',
    attempt: 'the cloud metadata address and the default gateway',
    expected: 'unreachable',
    script: () =>
      'for address in 169.254.169.254 10.0.0.1 172.17.0.1 192.168.0.1 192.168.1.1; do (echo x >/dev/tcp/$address/80) 2>/dev/null && echo $address; done',
  },
  {
    class: 'reaching',
    attempt: 'the container engine, the message bus and the journal of the host',
    expected: 'no such socket',
    script: () =>
      'for path in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /run/dbus/system_bus_socket /run/systemd/journal/socket /tmp/.X11-unix/X0; do [ -e $path ] && echo $path; done',
  },
  {
    class: 'reaching',
    attempt: "the keyring, the display, the session bus and VS Code's server of any user",
    expected: 'no such folder',
    script: () =>
      'ls -d /run/user /run/user/*/* /tmp/.X11-unix /tmp/vscode-* /tmp/ssh-* /tmp/airlock-* ~/.vscode-server /home/*/.vscode-server /home/*/.gnupg /root/.gnupg 2>/dev/null',
  },
  {
    class: 'becoming',
    attempt: 'another user, by su, sudo, newgrp and set-uid copies',
    expected: 'refused, with no new privilege',
    script: () =>
      'su root -c "echo su" </dev/null 2>/dev/null; sudo -n echo sudo 2>/dev/null; cp /usr/bin/id /tmp/id && chmod 6755 /tmp/id && /tmp/id -u | grep -x 0',
  },
  {
    class: 'becoming',
    attempt: 'the owner of namespaces, by clone, unshare and setns',
    expected: 'refused',
    script: () =>
      'unshare -Ur echo user 2>/dev/null; unshare -m echo mount 2>/dev/null; unshare -n echo net 2>/dev/null; nsenter -t 1 -m echo enter 2>/dev/null | grep -v enter',
  },
  {
    class: 'becoming',
    attempt: "the host's helper for core dumps, modules and hot-plugging",
    expected: 'read-only',
    script: () =>
      'for path in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sysrq-trigger /proc/sys/vm/drop_caches; do (echo x >$path) 2>/dev/null && echo $path; done',
  },
  {
    class: 'leaking in',
    attempt: "variables of the host's environment",
    expected: "the jail's own, and those of its tool chains",
    script: () =>
      'env | cut -d= -f1 | grep -vxE "HOME|LANG|OLDPWD|PATH|PWD|SHLVL|TERM|TMPDIR|USER|_|JAVA_HOME|DOTNET_ROOT"',
  },
  {
    class: 'against the host afterwards',
    attempt: 'a program that keeps the rights of whoever wrote it',
    expected: 'nosuid inside, an id of its own or the user outside',
    script: () => 'cp /usr/bin/id own && chmod 6755 own && ./own -u | grep -x 0',
  },
];
