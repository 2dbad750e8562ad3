/**
 * The bridge as a Perl program: `perl FILE PORT SOCKET… -- NAME VALUE… -- PROGRAM ARGUMENT…`, with the
 * variables that Perl itself would heed as names and values. It listens, leaves a process behind that carries bytes
 * between connections and sockets, and becomes the program, which so finds its ports open at its first instruction, its parent, standard
 * streams, environment and number as without bridges, and no child. Only what every Perl has is used.
 */
export const PERL_BRIDGE = String.raw`use strict;

# Linux's numbers, since the modules that know them take longer to load than all the rest.
my ($UNIX, $INET, $STREAM, $SETFL, $NONBLOCK, $EINTR, $EAGAIN) = (1, 2, 1, 4, 04000, 4, 11);
my ($TCP, $NODELAY) = (6, 1);
sub loopback { pack 'S n a4 x8', $INET, $_[0], "\x7f\0\0\1" }

sub refuse { print STDERR "the sandbox's bridge cannot $_[0]: $!\n"; exit 126 }

my @ways;
while (@ARGV and $ARGV[0] ne '--') { push @ways, [shift @ARGV, shift @ARGV] }
shift @ARGV;
# What Perl itself would heed is the program's alone.
while (@ARGV and $ARGV[0] ne '--') { my ($name, $value) = splice @ARGV, 0, 2; $ENV{$name} = $value }
shift @ARGV;

my %listeners;
for my $way (@ways) {
  my ($port, $path) = @$way;
  socket(my $listener, $INET, $STREAM, 0) or refuse("make a socket");
  bind($listener, loopback($port)) or refuse("have port $port");
  listen($listener, 511) or refuse("listen on port $port");
  fcntl($listener, $SETFL, $NONBLOCK);
  $listeners{fileno $listener} = [$listener, $path];
}

# Twice, so that it is the init's child and not the program's.
my $child = fork;
defined $child or refuse("start");
if ($child) {
  waitpid $child, 0;
  exec { $ARGV[0] } @ARGV or refuse("start $ARGV[0]");
}
my $server = fork;
exit(defined $server ? 0 : 1) if !defined $server or $server;
setpgrp 0, 0;
$0 = 'bridge';
chdir '/';
for my $stream (*STDIN, *STDOUT, *STDERR) { open $stream, '+<', '/dev/null' }
$SIG{PIPE} = 'IGNORE';

# An end of a connection: its handle, its other end, what is to be written to it, and whether either direction is over.
my %ends;

sub drop {
  my ($end) = @_;
  my $other = delete $end->{other};
  delete $other->{other};
  for my $each ($end, $other) {
    delete $ends{fileno $each->{handle}};
    close $each->{handle};
  }
}

sub carry {
  my ($listener, $path) = @_;
  # Handles that go out of scope are closed. Who has no descriptor left waits for one.
  accept(my $near, $listener) or return again() || select undef, undef, undef, 0.02;
  # A small answer that follows another would wait until the first is acknowledged, which is put off for 40 ms.
  setsockopt $near, $TCP, $NODELAY, 1;
  socket(my $far, $UNIX, $STREAM, 0) or return;
  connect($far, pack 'S a108', $UNIX, $path) or return;
  my ($one, $two) = map { { handle => $_, out => '', read => 0, written => 0 } } $near, $far;
  $one->{other} = $two;
  $two->{other} = $one;
  for my $end ($one, $two) {
    fcntl($end->{handle}, $SETFL, $NONBLOCK);
    $ends{fileno $end->{handle}} = $end;
  }
}

sub finish {
  my ($end) = @_;
  return if $end->{written} or length $end->{out} or !$end->{other}{read};
  shutdown $end->{handle}, 1;
  $end->{written} = 1;
  drop($end) if $end->{other}{written};
}

sub again { $! == $EAGAIN || $! == $EINTR }

sub take {
  my ($end) = @_;
  my $count = sysread $end->{handle}, $end->{other}{out}, 65536;
  if (!defined $count) { drop($end) unless again(); return }
  $end->{read} = 1 if !$count;
  put($end->{other});
}

sub put {
  my ($end) = @_;
  if (length $end->{out}) {
    my $count = syswrite $end->{handle}, $end->{out};
    if (!defined $count) { drop($end) unless again(); return }
    substr $end->{out}, 0, $count, '';
  }
  finish($end);
}

while (1) {
  my ($reads, $writes) = ('', '');
  vec($reads, $_, 1) = 1 for keys %listeners;
  while (my ($number, $end) = each %ends) {
    vec($reads, $number, 1) = 1 if !$end->{read} and !length $end->{other}{out};
    vec($writes, $number, 1) = 1 if length $end->{out};
  }
  select($reads, $writes, undef, undef) >= 0 or next;
  for my $number (keys %ends) {
    my $end = $ends{$number} or next;
    if (vec $writes, $number, 1) { put($end) }
    $end = $ends{$number} or next;
    if (vec $reads, $number, 1) { take($end) }
  }
  for my $number (keys %listeners) {
    if (vec $reads, $number, 1) { carry(@{$listeners{$number}}) }
  }
}
`;
