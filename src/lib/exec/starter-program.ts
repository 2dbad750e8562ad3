/**
 * The starter as a Perl program, of which only what every Perl has is used: `perl -e STARTER_PROGRAM PRCTL SETSID DUP3 MEMFD_CREATE PRLIMIT
 * PARENT SOCKET`, the first five being the numbers of those system calls. It talks over descriptor 3.
 *
 * It reads frames: a length, then `N8 (N/a*)*`: an id, whether there is a status pipe, whether there is a gate, how many arguments,
 * variables and files there are, how many files it may have open (soft and hard bound, or zeros), and these texts: the program, its folder, arguments, names each with its value, files. For each it connects
 * to the socket as often as the program has channels, says the id and the channel's number there, and has the program have that connection.
 * It answers with lines: `started ID PID`, `failed ID ERRNO`, `ended ID CODE SIGNAL`.
 */
export const STARTER_PROGRAM = String.raw`use strict;

my ($PRCTL, $SETSID, $DUP3, $MEMFD, $PRLIMIT, $parent, $path) = @ARGV;
$_ += 0 for $PRCTL, $SETSID, $DUP3, $MEMFD, $PRLIMIT, $parent;
# The same on every machine.
my ($PIDFD_OPEN, $DEATHSIG, $KILL, $O_PATH, $SETFD, $CLOEXEC, $DUPFD_CLOEXEC) = (434, 1, 9, 010000000, 2, 1, 1030);
my ($UNIX, $STREAM, $EINTR, $ENOENT, $HIGH, $NOFILE) = (1, 1, 4, 2, 64, 7);

$0 = 'switchyard-starter';
$SIG{PIPE} = 'IGNORE';
syscall $PRCTL, $DEATHSIG, $KILL, 0, 0, 0;
exit if getppid != $parent;

open my $control, '+<&=', 3 or exit;
fcntl $control, $SETFD, $CLOEXEC;
# Held open, the socket is reached when it has no name any more: so it is by nobody else.
sysopen my $place, $path, $O_PATH or exit;
unlink $path;
my $door = pack 'S a108', $UNIX, '/proc/self/fd/' . fileno $place;
lifeOf($$) or exit;
syswrite $control, "up\n";

my ($buffer, %children) = '';

sub lifeOf {
  my $number = syscall $PIDFD_OPEN, $_[0] + 0, 0;
  $number < 0 and return;
  open my $life, '<&=', $number or return;
  $life;
}

sub channel {
  my ($id, $number) = @_;
  socket my $end, $UNIX, $STREAM, 0 or exit;
  connect $end, $door or exit;
  syswrite $end, pack 'N N', $id, $number;
  $end;
}

# A file by its path, or what is to be in it.
sub handed {
  my ($kind, $text) = unpack 'a a*', $_[0];
  my $file;
  if ($kind eq 'p') { return sysopen($file, $text, 0) ? $file : undef }
  my $name = 'handed';
  my $number = syscall $MEMFD, $name, $CLOEXEC;
  $number < 0 and return;
  open $file, '+<&=', $number or return;
  for (my $at = 0; $at < length $text;) { $at += syswrite($file, $text, length($text) - $at, $at) || return }
  sysseek $file, 0, 0;
  $file;
}

sub start {
  my ($id, $reports, $isGated, $arguments, $variables, $files, $soft, $hard, @words) = unpack 'N8 (N/a*)*', $_[0];
  my ($file, $folder) = splice @words, 0, 2;
  my @argv = ($file, splice @words, 0, $arguments);
  my @environment = splice @words, 0, 2 * $variables;
  my @ends = map { channel($id, $_) } 0 .. 2;
  if ($reports) { push @ends, channel($id, 3) }
  elsif ($files or $isGated) { push @ends, handed('p/dev/null') }
  for my $word (@words) {
    my $handed = handed($word) or return answer("failed $id " . ($! + 0));
    push @ends, $handed;
  }
  push @ends, channel($id, 4) if $isGated;
  pipe my $failure, my $tell or exit;
  my $pid = fork;
  defined $pid or return answer("failed $id " . ($! + 0));
  become({
    file => $file, folder => $folder, argv => \@argv, environment => \@environment,
    ends => \@ends, tell => $tell, bounds => $hard ? pack('Q2', $soft, $hard) : '',
  }) if !$pid;
  close $tell;
  my $life = lifeOf($pid) or exit;
  my $child = { id => $id, pid => $pid, failure => $failure, life => $life };
  $children{fileno $failure} = $children{fileno $life} = $child;
}

# In the child: never returns.
sub become {
  my ($program) = @_;
  # Out of the way first, since one may have the number that another is to get.
  my @high = map { fcntl $_, $DUPFD_CLOEXEC, $HIGH } @{$program->{ends}};
  my $tell = fcntl $program->{tell}, $DUPFD_CLOEXEC, $HIGH;
  open my $out, '>&=', $tell;
  syscall $SETSID;
  for my $number (0 .. $#high) { syscall $DUP3, $high[$number], $number, 0 }
  $SIG{PIPE} = 'DEFAULT';
  my $isHeld = $program->{bounds} eq '' || syscall($PRLIMIT, 0, $NOFILE, $program->{bounds}, 0) == 0;
  if ($isHeld and chdir $program->{folder}) {
    my @argv = @{$program->{argv}};
    %ENV = @{$program->{environment}};
    exec { $program->{file} } @argv;
  }
  syswrite $out, pack 'N', $! + 0;
  kill KILL => $$;
}

# Whether the program runs. Its end of the pipe is closed when it begins.
sub begun {
  my ($child) = @_;
  my $failure = delete $child->{failure} or return;
  delete $children{fileno $failure};
  sysread $failure, my $code, 4;
  $child->{hasFailed} = length $code;
  answer(length $code ? "failed $child->{id} " . unpack 'N', $code : "started $child->{id} $child->{pid}");
}

sub ended {
  my ($child) = @_;
  begun($child);
  delete $children{fileno $child->{life}};
  waitpid $child->{pid}, 0;
  answer("ended $child->{id} " . ($? >> 8) . ' ' . ($? & 127)) if !$child->{hasFailed};
}

sub answer { syswrite $control, "$_[0]\n" }

sub hear {
  my $count = sysread $control, $buffer, 65536, length $buffer;
  if (!defined $count) { return if $! == $EINTR; exit }
  exit if !$count;
  while (length $buffer >= 4) {
    my $length = unpack 'N', $buffer;
    last if length $buffer < 4 + $length;
    my $frame = substr $buffer, 4, $length;
    substr $buffer, 0, 4 + $length, '';
    start($frame);
  }
}

while (1) {
  my $ready = '';
  vec($ready, $_, 1) = 1 for fileno $control, keys %children;
  select($ready, undef, undef, undef) > 0 or next;
  for my $number (keys %children) {
    my $child = $children{$number} or next;
    next if !vec $ready, $number, 1;
    if ($child->{failure} and $number == fileno $child->{failure}) { begun($child) }
    elsif ($number == fileno $child->{life}) { ended($child) }
  }
  hear() if vec $ready, fileno $control, 1;
}
`;
