      * What the account inquiry of the sample bank takes and answers.
       01  ACCOUNT-INQUIRY.
           05  AI-FUNCTION             PIC X(4).
           05  AI-RETURN-CODE          PIC S9(4) COMP.
           05  AI-CUSTOMER-ID          PIC 9(10).
           05  AI-CUSTOMER-NAME        PIC X(30).
           05  AI-BALANCE              PIC S9(11)V99 COMP-3.
           05  AI-OVERDRAFT-LIMIT      PIC S9(7)V99.
           05  AI-ACCOUNT-COUNT        PIC S9(4) COMP.
           05  AI-ACCOUNT OCCURS 0 TO 20 TIMES
                   DEPENDING ON AI-ACCOUNT-COUNT.
               10  AI-ACCOUNT-NO       PIC X(11).
               10  AI-ACCOUNT-TYPE     PIC X.
                   88  AI-SAVINGS      VALUE 'S'.
                   88  AI-CURRENT      VALUE 'C'.
               10  AI-ACCOUNT-BALANCE  PIC S9(9)V99 COMP-3.
