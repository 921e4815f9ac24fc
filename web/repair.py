"""``flask --app web repair-backup``: after an old backup was restored, two coordinators let it serve.

What was published after the backup is named first; nobody can bring it back here.  Both type their
passwords and codes at one prompt, and what they state is in the chain of the record.
"""

from __future__ import annotations

import click

from . import auth, publication
from .audit import Actor


@click.command("repair-backup")
def repair_backup() -> None:
    """旧备份恢复后，由两位协调员确认，重新提供服务 / let a restored old backup serve, by two coordinators."""
    lost = publication.missing()
    if not lost:
        click.echo(
            "数据库不比已公布的结果旧，不用修复 / the database is not behind: nothing to repair"
        )
        return
    click.echo("数据库里没有这些已公布的结果 / published, and unknown to this database:")
    for name in lost:
        click.echo(f"  {name}")
    click.echo(
        "有更新的备份请先恢复；继续表示更新的数据已经丢失，公布包仍留在磁盘上"
        " / restore a newer backup if there is one; to go on states that newer data are lost"
    )
    reason = click.prompt("原因 / reason").strip()
    if not reason:
        raise click.ClickException("请写明原因 / please give a reason")
    first = _coordinator("第一位协调员 / first coordinator")
    second = _coordinator("另一位协调员 / another coordinator")
    if first == second:
        raise click.ClickException("须由另一人确认 / another person must confirm")
    publication.give_up(lost, reason, first, second)
    click.echo(
        "已记入审计链。请重新启动网页与任务进程 / recorded; start the pages and the worker anew"
    )


def _coordinator(who: str) -> Actor:
    """A coordinator who has typed her password and her code just now."""
    name = click.prompt(who)
    password = click.prompt("密码 / password", hide_input=True)
    code = click.prompt(
        "验证码（演示留空）/ code (none in the demo)", default="", show_default=False
    )
    actor = auth.vouched(name, password, code)
    if actor is None or actor.role != "coordinator":
        raise click.ClickException(
            "账号、密码或验证码不对，或不是协调员 / wrong, or not a coordinator"
        )
    return actor
