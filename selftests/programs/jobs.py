# SPDX-License-Identifier: GPL-2.0
"""A producer and consumers over two queues: each job is done once, and its sum comes back."""

import os
import sysv_ipc

JOBS, WORKERS, STOP = 300, 3, 2

jobs = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
results = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)

workers = []
for _ in range(WORKERS):
    worker = os.fork()
    if worker == 0:
        while True:
            text, kind = jobs.receive()
            if kind == STOP:
                os._exit(0)
            number = int(text)
            results.send(b"%d %d" % (number, number * number), type=1 + number % 5)
    workers.append(worker)

answers = {}
sent = 0
# Never more on the way than both queues hold: neither side can block the other for good.
while len(answers) < JOBS:
    while sent < JOBS and sent - len(answers) < 50:
        jobs.send(b"%d" % sent)
        sent += 1
    text, kind = results.receive(type=-5)
    number, square = map(int, text.split())
    assert kind == 1 + number % 5 and number not in answers
    answers[number] = square

for _ in workers:
    jobs.send(b"", type=STOP)
print("workers:", [os.waitpid(worker, 0)[1] for worker in workers])
print("right:", all(answers[number] == number * number for number in range(JOBS)))
print("left:", jobs.current_messages, results.current_messages)
jobs.remove()
results.remove()
