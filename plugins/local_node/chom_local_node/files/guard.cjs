// Loaded into Playground's process before its own code. Playground's CLI listens on every address and answers to every
// Host name, and has no option for either; here it gets loopback, one name, one unprivileged user and a log that stays small.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { isMainThread } = require('node:worker_threads');

const host = process.env.CHOM_SITE_HOST;
const uid = Number(process.env.CHOM_SITE_UID || 0);

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const callbacks = args.filter((arg) => typeof arg === 'function');
  const options = typeof args[0] === 'object' && args[0] !== null ? args[0] : { port: Number(args[0]) || 0 };
  return listen.call(this, { ...options, host: '127.0.0.1' }, ...callbacks);
};

// Playground hands out every file, the database wp-content/database/.ht.sqlite too; no web server for WordPress does.
function isHidden(url) {
  let name = url.split('?')[0];
  for (let last = ''; last !== name; ) {
    last = name;
    try {
      name = decodeURIComponent(name);
    } catch {
      break; // a percent sign that encodes nothing: there is no further layer
    }
  }
  return name.split(/[\\/]+/).some((part) => part.startsWith('.') && part !== '.well-known');
}

function keepLogSmall(log, most) {
  if (fs.fstatSync(1).size <= most) return;
  fs.copyFileSync(log, `${log}.1`);
  fs.ftruncateSync(1);
}

// The site's own user does this, never root: the folder is the customer's, and a link may lie in the way.
function placeMustUsePlugin(folder, source) {
  const target = path.join(folder, 'wp-content', 'mu-plugins');
  fs.mkdirSync(target, { recursive: true });
  fs.rmSync(path.join(target, 'chom-site.php'), { force: true });
  fs.copyFileSync(source, path.join(target, 'chom-site.php'));
}

if (isMainThread) {
  if (uid) {
    process.setgroups([]);
    process.setgid(uid);
    process.setuid(uid);
  }
  placeMustUsePlugin(process.env.CHOM_SITE_PUBLIC, path.join(process.env.CHOM_SITE_PRIVATE, 'chom-site.php'));
  const most = Number(process.env.CHOM_SITE_LOG_BYTES);
  setInterval(keepLogSmall, 30000, process.env.CHOM_SITE_LOG, most).unref();

  const refuse = (response, status, words) => {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
    response.end(`${words}\n`);
    return true;
  };
  const emit = http.Server.prototype.emit;
  http.Server.prototype.emit = function (event, request, response, ...rest) {
    if (event === 'request' && String(request.headers.host).toLowerCase() !== host) {
      return refuse(response, 421, 'No site of this name is served here.');
    }
    if (event === 'request' && isHidden(request.url)) return refuse(response, 404, 'There is no such page.');
    return emit.call(this, event, request, response, ...rest);
  };
}
