"""Opens new databases by many threads of several processes at the same moment, and prints what fails."""

import multiprocessing
import threading
from pathlib import Path

from passerelle_adapter import Answers, Fault

PROCESSES = 4
THREADS = 4
ROUNDS = 60
SCHEMA = "CREATE TABLE things (id INTEGER PRIMARY KEY);\nINSERT INTO things DEFAULT VALUES;"


def open_each(start, failed):
    def open_it():
        for number in range(ROUNDS):
            start.wait(60)
            try:
                with Answers(f"opening-{number}.db", SCHEMA, timeout_s=10).connect() as database:
                    things = database.execute("SELECT count(*) FROM things").fetchone()[0]
                    assert things == 1, f"the schema was run {things} times"
            except (AssertionError, Fault) as error:
                failed.put(str(error))

    threads = [threading.Thread(target=open_it) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    start = multiprocessing.Barrier(PROCESSES * THREADS)
    failed = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=open_each, args=(start, failed)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    while not failed.empty():
        print(failed.get())
    print("opened", len(list(Path().glob("opening-*.db"))))
